"""Say what the actors of a run tell each other; what subscribers are told is in messages.py."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from exmc_actors.chain import ChainState
from exmc_actors.messages import DrawBlock
from exmc_actors.warmup import Learnt, Pairs

Held = Mapping[int, Mapping[int, Learnt]]
"""Lessons by the transition before which each was held: what every chain took from it."""


@dataclass(frozen=True, slots=True)
class Stand:
    """A chain that begins, or begins again, asks the recorder where it stands."""

    chain: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The recorder's answer."""

    state: ChainState | None
    """The state after the last commit; None before the first."""
    transitions: int
    """How many are committed."""
    may_go_on: bool
    """False once the chain has ended."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A chain hands over a block with the state that follows it: one atomic record.

    The last block of a chain ends it.  A block that leads to a lesson is answered with what was learnt, once
    that is known; one of a chain that has ended with ``Ended``; any other with None.
    """

    block: DrawBlock
    transitions: int
    """How many the chain had made before this block."""
    state: ChainState
    pairs: Pairs | None = None
    """Of a warmup block: the positions and gradients to learn from, shape (m, 2, d)."""
    lessons: Held | None = None
    """Of a whole warmup that was made in one go."""


@dataclass(frozen=True, slots=True)
class Learn:
    """A chain that begins again at a lesson asks what all have learnt; it waits for the others."""

    chain: int
    lesson: int
    """The number of that transition."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """A chain cannot go on, and trying again would not help."""

    chain: int
    reason: str
    is_start: bool = False
    """Whether no point to start from was found."""


@dataclass(frozen=True, slots=True)
class StopChain:
    """The user ends a chain and keeps what it has."""

    chain: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The recorder's answer to a block of a chain that has ended meanwhile: it is not committed."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A run has enough: so many draws a chain, and why."""

    draws: int
    reason: str


@dataclass(frozen=True, slots=True)
class Start:
    """A chain asks the model server for its first state."""

    chain: int


@dataclass(frozen=True, slots=True)
class Advance:
    """A chain asks the model server for its next transitions."""

    chain: int
    state: ChainState
    at_most: int
    """Up to the next lesson, or the end; the answer may be a whole warmup instead."""


@dataclass(frozen=True, slots=True)
class Advanced:
    """The model server's answer: as many transitions as it saw fit."""

    state: ChainState
    values: np.ndarray
    """Shape (n, v), in the program's layout."""
    stats: np.ndarray
    """Shape (n, 9), in the order of ``messages.STATS``."""
    pairs: Pairs | None = None
    """Of a warmup block: unconstrained positions and gradients, shape (n, 2, d)."""
    lessons: Held | None = None
    """Of a whole warmup, which a chain has made together with all others."""
    typed_stats: Mapping[str, np.ndarray] | None = None
    """The statistics by name and of their types; None on the way to the server."""


@dataclass(frozen=True, slots=True)
class Unstartable:
    """The model server's answer where no finite log density was found."""

    reason: str


@dataclass(frozen=True, slots=True)
class BlockFailed:
    """The model server's answer where the computation raised: a reply, never a crash of the server."""

    error: Exception
