"""Name what can go wrong, where and how often, as plain data; carrying it out is for others."""

import errno
import math
from dataclasses import dataclass
from typing import Literal

BlockMoment = Literal[
    "before the block", "in the block", "after the block", "in the commit", "after the commit"
]
"""When a chain is killed, as it goes from asking for a block to having committed it."""
Moment = Literal["before", "in", "after"]
"""When a server dies: before it takes up a message, while it acts on it, or before its reply has left."""
Wrongness = Literal["not finite", "density", "shape", "chain", "stale"]
"""What is wrong with an answer: its position, a log density, a missing row, whose it is, or its age."""


class InjectedError(Exception):
    """Raised on purpose."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that happens at the first occasions from ``at`` on.

    Attributes:
      at: from which occasion on, counted from 0.
      times: at how many of them.
    """

    at: int = 0
    times: int = 1


@dataclass(frozen=True, kw_only=True)
class OfChain(Fault):
    """Something that happens to a block of a chain; ``at`` counts the transitions made before it.

    The start of a chain is an occasion too, before its first transition.

    Attributes:
      chain: its number; None means whichever comes first.
    """

    chain: int | None = None


@dataclass(frozen=True, kw_only=True)
class Raises(OfChain):
    """The computation of a block raises ``InjectedError``."""


@dataclass(frozen=True, kw_only=True)
class Late(OfChain):
    """The answer of the model server takes so many seconds longer; for ever, unless told otherwise.

    A chain that waits for ever goes on where it is killed.
    """

    seconds: float = math.inf


@dataclass(frozen=True, kw_only=True)
class Wrong(OfChain):
    """The answer of the model server is garbled."""

    how: Wrongness = "not finite"


@dataclass(frozen=True, kw_only=True)
class ChainKilled(OfChain):
    """The chain's actor is killed.

    Attributes:
      when: as it goes from asking for a block to having committed it.
      checkpoints: how often the others have a turn before it dies ``in`` something.
    """

    when: BlockMoment = "in the block"
    checkpoints: int = 1


@dataclass(frozen=True, kw_only=True)
class RecorderDies(Fault):
    """The recorder is killed at a commit, or raises there.

    Attributes:
      when: before it takes it up, while it does, or once it is done and nobody knows it yet.
      raises: whether it raises; else it is killed.
      checkpoints: how often the others have a turn before it dies ``in`` a commit.
    """

    when: Moment = "in"
    raises: bool = False
    checkpoints: int = 1


@dataclass(frozen=True, kw_only=True)
class ServerDies(Fault):
    """The model server is killed at a request, or raises there: before it is taken up, or after."""

    when: Moment = "after"
    raises: bool = False


@dataclass(frozen=True, kw_only=True)
class WakeRaises(Fault):
    """The feed raises where it should wake the subscribers after a commit."""


@dataclass(frozen=True, kw_only=True)
class Slow(Fault):
    """A computation takes so many seconds longer: a block, a lesson, a write, the result."""

    seconds: float = 1.0


@dataclass(frozen=True, kw_only=True)
class WriteFails(Fault):
    """The disk refuses a write.

    Attributes:
      error: ``errno.ENOSPC`` for a full disk, ``errno.EIO`` for a broken one.
      taken: which part of the bytes it has taken by then.
    """

    error: int = errno.ENOSPC
    taken: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ShortWrite(Fault):
    """The disk takes half of the bytes of a write, and says so."""


@dataclass(frozen=True, kw_only=True)
class SyncFails(Fault):
    """The disk does not answer when it is waited for."""

    error: int = errno.EIO
