"""Foretell how long a call takes, from how long the last ones took; no draw depends on it."""

import math
from collections import deque
from itertools import accumulate

CALL_SECONDS = 2e-4
"""What a call takes beside its work: handing it the state, and taking what it made."""
FASTEST = 1e-6
"""Seconds that a unit of work takes at least, whatever a call of a few seemed to take."""
_REMEMBERED = 32
"""Calls: a warmup makes up to two dozen short ones, and longer ones are to be known after it."""


class Pace:
    """Seconds for a unit of a program's work: a transition, or the start of a chain.

    It is the median over the units, not over the calls: of a call of a few, most of the time is the call's.
    """

    def __init__(self) -> None:
        """Know nothing yet: any call may take for ever."""
        self._last: deque[tuple[float, int]] = deque(maxlen=_REMEMBERED)

    def expect(self, units: int) -> float:
        """Return how many seconds a call may take."""
        return CALL_SECONDS + self.expect_work(units)

    def expect_work(self, units: int) -> float:
        """Return how many seconds the work of a call may take."""
        last = tuple(self._last)  # other threads append
        return units * _median(last) if last else math.inf

    def observe(self, units: int, seconds: float) -> None:
        """Learn how long a call took."""
        self._last.append((max(FASTEST, (seconds - CALL_SECONDS) / units), units))


def _median(counted: tuple[tuple[float, int], ...]) -> float:
    """Return the median of numbers that each occur so many times."""
    in_order = sorted(counted)
    ends = list(accumulate(count for _, count in in_order))
    return next(number for (number, _), end in zip(in_order, ends, strict=True) if 2 * end >= ends[-1])
