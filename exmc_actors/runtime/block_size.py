"""Choose how many transitions the next block makes, from how long the last ones took.

Only the wall time of blocks follows from it: a chain's draws do not depend on how it is cut.
"""

from typing import Protocol

TARGET_SECONDS = 0.05
"""Long enough that the runtime around a block costs little, short enough to pause and to cancel."""
FIRST_BLOCK = 8
"""The first blocks are small, so that the first draw is seen early."""
_GROWTH = 4


class BlockSize(Protocol):
    """Whoever chooses block sizes; one for all chains of a run."""

    def choose(self, chain: int, at_most: int) -> int:
        """Return the next block's transitions, from 1 to ``at_most``."""

    def observe(self, chain: int, transitions: int, seconds: float) -> None:
        """Learn how long a block took."""


class ByWallTime:
    """Aim at ``TARGET_SECONDS`` a block, growing at most fourfold from one block to the next."""

    def __init__(self) -> None:
        """Begin small for every chain."""
        self._next: dict[int, int] = {}

    def choose(self, chain: int, at_most: int) -> int:
        """Return the next block's transitions, from 1 to ``at_most``."""
        return max(1, min(self._next.get(chain, FIRST_BLOCK), at_most))

    def observe(self, chain: int, transitions: int, seconds: float) -> None:
        """Learn how long a block took."""
        wanted = self._next.get(chain, FIRST_BLOCK)
        if transitions < wanted and seconds < TARGET_SECONDS:
            return  # cut short by the end of a phase: mostly overhead, which says nothing of a transition
        fitting = int(TARGET_SECONDS * transitions / max(seconds, 1e-9))
        self._next[chain] = max(1, min(fitting, _GROWTH * wanted))
