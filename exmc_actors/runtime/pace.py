"""Foretell how long a call takes, from how long the last ones took; no draw depends on it."""

import math
from collections import deque
from itertools import accumulate
from statistics import median

CALL_SECONDS = 2e-4
"""What a call takes beside its work: handing it the state, and taking what it made."""
FASTEST = 1e-6
"""Seconds that a unit of work takes at least, whatever a call of a few seemed to take."""
_LAST = 8
"""Calls that tell of the next one."""
_REMEMBERED = 32
"""Calls: a warmup makes up to two dozen short ones, and longer ones are to be known after it."""


class Pace:
    """Seconds for a unit of a program's work: a transition, or the start of a chain."""

    def __init__(self) -> None:
        """Know nothing yet: any call may take for ever."""
        self._last: deque[tuple[float, int]] = deque(maxlen=_REMEMBERED)

    def expect(self, units: int) -> float:
        """Return how many seconds a call may take."""
        return CALL_SECONDS + self.expect_work(units)

    def expect_work(self, units: int) -> float:
        """Return how many seconds the work of a call may take, by the last few, whatever their size."""
        last = tuple(self._last)[-_LAST:]  # other threads append
        return units * median(pace for pace, _ in last) if last else math.inf

    def of_long_calls(self) -> float:
        """Return the seconds of a unit in a long call: of a short one, most of the time is the call's.

        That is the median over the units of more calls, and so less up to date.
        """
        last = tuple(self._last)  # other threads append
        in_order = sorted(last)
        ends = list(accumulate(units for _, units in in_order))
        halves = (pace for (pace, _), end in zip(in_order, ends, strict=True) if 2 * end >= ends[-1])
        return next(halves, math.inf)

    def observe(self, units: int, seconds: float) -> None:
        """Learn how long a call took."""
        self._last.append((max(FASTEST, (seconds - CALL_SECONDS) / units), units))
