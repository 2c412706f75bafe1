"""Choose how many transitions the next block makes, from how long the last ones took.

Only the wall time of blocks follows from it: a chain's draws do not depend on how it is cut.
"""

from typing import Protocol

TARGET_SECONDS = 0.05
"""Long enough that the runtime around a block costs little, short enough to pause and to cancel."""
FIRST_BLOCK = 10
"""The first blocks are small, so that the first draw is seen early."""
SECONDS_A_LANE = TARGET_SECONDS / 8
"""Of an ensemble's block: the runtime's work around it is for each of its chains."""
WORTH_SHARING = 0.02
"""Seconds; a block that is shorter ends soon enough."""
MOST_AT_ONCE = 0.02
"""Seconds; of a longer warmup something is to be seen, and it may be paused, before its end."""
_GROWTH = 16


class BlockSize(Protocol):
    """Whoever chooses block sizes; one for all chains of a run."""

    def choose(self, chain: int, at_most: int) -> int:
        """Return the next block's transitions, from 1 to ``at_most``."""

    def observe(self, chain: int, transitions: int, seconds: float) -> None:
        """Learn how long a block took."""

    def foresee(self, chain: int, seconds: float, at_most: float) -> None:
        """Learn how long a transition of the chain may take, as others did, and as its own have at most."""

    def fits_at_once(self, seconds: float) -> bool:
        """Say whether the whole warmup of all chains, of so many seconds, may be one block of each."""


class ByWallTime:
    """Aim at so many seconds a block, growing at most sixteenfold from one block to the next.

    Only where the program's pace is known are there no small ones on the way.
    """

    def __init__(self, *, seconds: float = TARGET_SECONDS, shares_cores: bool = False) -> None:
        """Begin small for every chain.

        Args:
          seconds: to aim at.
          shares_cores: whether there are more chains than cores.  Then a block is at most half of what is
            left to the next lesson or to the end, so that the chains come there together: a core that has
            no chain to go on with is of no use.
        """
        self._target = seconds
        self._shares_cores = shares_cores
        self._next: dict[int, int] = {}
        self._seconds: dict[int, float] = {}
        """That a transition took, of the last block."""

    def choose(self, chain: int, at_most: int) -> int:
        """Return the next block's transitions, from 1 to ``at_most``."""
        half = -(-at_most // 2)
        if self._shares_cores and half * self._seconds.get(chain, 0.0) > WORTH_SHARING:
            at_most = half
        return max(1, min(self._next.get(chain, FIRST_BLOCK), at_most))

    def observe(self, chain: int, transitions: int, seconds: float) -> None:
        """Learn how long a block took."""
        self._seconds[chain] = seconds / transitions
        wanted = self._next.get(chain, FIRST_BLOCK)
        fitting = max(1, min(int(self._target * transitions / max(seconds, 1e-9)), _GROWTH * transitions))
        # A block that was cut short by a lesson or the end of a phase is mostly overhead: it may say that
        # transitions cost less than was thought, not that they cost more.
        is_cut_short = transitions < wanted and seconds < self._target
        self._next[chain] = max(wanted, fitting) if is_cut_short else fitting

    def foresee(self, chain: int, seconds: float, at_most: float) -> None:
        """Aim with the next block already, however short the last one was.

        If what others did says nothing of this chain, the block takes at most sixteen times too long.
        """
        self._seconds[chain] = seconds
        self._next[chain] = max(1, int(self._target * min(1.0 / seconds, _GROWTH / max(at_most, 1e-9))))

    def fits_at_once(self, seconds: float) -> bool:
        """Say whether the whole warmup of all chains, of so many seconds, may be one block of each."""
        return seconds < MOST_AT_ONCE
