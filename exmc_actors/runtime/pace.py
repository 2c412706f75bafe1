"""Foretell how long a call takes, from how long the last ones took; no draw depends on it."""

from collections import deque

CALL_SECONDS = 1e-4
"""What a call takes beside its work: handing it the state, and taking what it made."""
_REMEMBERED = 8


class Pace:
    """Seconds for a unit of a program's work: a transition, or the start of a chain."""

    def __init__(self) -> None:
        """Know nothing yet: any call may take for ever."""
        self._last: deque[float] = deque(maxlen=_REMEMBERED)

    def expect(self, units: int) -> float:
        """Return how many seconds a call may take."""
        # The least of the last ones: what else the machine does only adds to them.
        return CALL_SECONDS + units * min(self._last, default=float("inf"))

    def observe(self, units: int, seconds: float) -> None:
        """Learn how long a call took."""
        self._last.append(max(0.0, seconds - CALL_SECONDS) / units)
