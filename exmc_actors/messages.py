"""Say what a run tells its subscribers: frozen records, and nothing that computes.

Mappings and arrays in them are read-only, so that one message can be handed to many subscribers and kept
in the run's log.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Literal

import numpy as np

Phase = Literal["warmup", "sample"]
"""Which part of a chain a draw belongs to; indices count within the phase."""

STATS = (
    "lp",
    "acceptance_rate",
    "step_size",
    "tree_depth",
    "n_steps",
    "diverging",
    "energy",
    "max_energy_error",
    "reached_max_treedepth",
)
"""The sample statistics of a draw, by ArviZ's names, in the order of the kernel's rows."""


class Overflow(Enum):
    """What happens when a subscriber falls ``capacity`` messages behind."""

    WAIT = "wait"
    """The chains wait before their next block: nothing is ever lost."""
    DROP_OLDEST = "drop_oldest"
    """The subscriber skips the oldest unread messages: nobody is ever slowed."""
    LATEST = "latest"
    """The subscriber sees the newest message and skips all others that are unread."""


WAIT = Overflow.WAIT
DROP_OLDEST = Overflow.DROP_OLDEST
LATEST = Overflow.LATEST


STAT_TYPES: Mapping[str, type] = MappingProxyType(
    {"diverging": np.bool_, "reached_max_treedepth": np.bool_, "tree_depth": np.int64, "n_steps": np.int64}
)
"""The statistics that are no float64, by what ArviZ's own checks expect of them."""


@dataclass(frozen=True, slots=True)
class DrawBlock:
    """The committed draws of one block.

    Its arrays are views of one array: whoever keeps a few of them for long should keep copies.
    """

    chain: int
    phase: Phase
    first: int
    """Index, within the phase, of the first draw."""
    draws: Mapping[str, np.ndarray]
    """Constrained values by variable name, each of shape (n, *shape of the variable)."""
    stats: Mapping[str, np.ndarray]
    """Sample statistics by the names of ``STATS``, each of shape (n,)."""

    def __len__(self) -> int:
        """Return the number of draws."""
        return len(self.stats["lp"])


@dataclass(frozen=True, slots=True)
class ChainRestarted:
    """A chain was started again by its supervisor and goes on from its last commit."""

    chain: int
    phase: Phase
    first: int
    """Index, within the phase, of the draw that it goes on with."""
    restarts: int
    """How often this chain has been restarted so far."""
    reason: str


@dataclass(frozen=True, slots=True)
class ChainFinished:
    """A chain has committed all its draws."""

    chain: int


@dataclass(frozen=True, slots=True)
class ChainFailed:
    """A chain gave up; the others go on."""

    chain: int
    phase: Phase
    first: int
    """Index, within the phase, of the draw that could not be made."""
    reason: str


@dataclass(frozen=True, slots=True)
class ChainAdded:
    """The user added a chain to the run; it begins with its warmup."""

    chain: int


@dataclass(frozen=True, slots=True)
class ChainStopped:
    """The user ended a chain; what it has is kept apart, and the others go on."""

    chain: int
    phase: Phase
    first: int
    """Index, within the phase, of the draw that is not made any more."""


@dataclass(frozen=True, slots=True)
class ChainStalled:
    """A chain's block takes far longer than was foretold; it goes on, unless ``patience`` was given."""

    chain: int
    phase: Phase
    first: int
    """Index, within the phase, of the block's first draw."""
    seconds: float
    """That the block has taken so far; told again whenever they have doubled."""


@dataclass(frozen=True, slots=True)
class RunPaused:
    """No chain goes on for a while, and why; what was committed stays."""

    reason: str


@dataclass(frozen=True, slots=True)
class RunResumed:
    """The chains go on."""


Message = (
    DrawBlock
    | ChainRestarted
    | ChainFinished
    | ChainFailed
    | ChainAdded
    | ChainStopped
    | ChainStalled
    | RunPaused
    | RunResumed
)


@dataclass(frozen=True, slots=True)
class ChainStatistics:
    """Where one chain stands."""

    chain: int
    status: Literal["running", "finished", "failed", "stopped"]
    phase: Phase
    index: int
    """Draws committed in this phase."""
    step_size: float
    """Of the last committed draw; NaN before the first."""
    divergences: int
    """After warmup."""
    restarts: int
    steps: int
    """Leapfrog steps so far, warmup included; each takes one gradient."""
    draws_per_second: float
    """Since the run was begun or, last, resumed; warmup included; 0.0 before the first commit."""
    stalled: float | None = None
    """Seconds that its block had taken when that was last told; None where it takes what was foretold."""


@dataclass(frozen=True, slots=True)
class SubscriptionStatistics:
    """How one subscriber keeps up."""

    overflow: Overflow
    capacity: int
    waiting: int
    """Messages committed and not yet read."""
    delivered: int
    dropped: int
    """Messages that it will never see because it fell behind; always 0 under ``WAIT``."""


@dataclass(frozen=True, slots=True)
class RunStatistics:
    """A snapshot of a run."""

    chains: tuple[ChainStatistics, ...]
    subscriptions: tuple[SubscriptionStatistics, ...]
    elapsed: float
    """Seconds since the run was opened."""
    paused: str | None = None
    """Why no chain goes on at the moment; None while they do."""
