"""Decide when restarting has stopped helping.

No clock in here: the caller says what time it is, so a test can say so too.
"""

from collections import deque
from typing import final


@final
class RestartIntensity:
    """At most ``max_restarts`` failures are healed within any ``max_seconds``."""

    def __init__(self, max_restarts: int, max_seconds: float) -> None:
        """Start without failures.

        Args:
          max_restarts: how many are healed.
          max_seconds: within which period.
        """
        self.max_restarts = max_restarts
        self.max_seconds = max_seconds
        self._times: deque[float] = deque()

    def record(self, now: float) -> None:
        """Count one more failure; as in OTP, one that is exactly ``max_seconds`` old still counts."""
        while self._times and now - self._times[0] > self.max_seconds:
            self._times.popleft()
        self._times.append(now)

    @property
    def failures(self) -> int:
        """How many failures counted when the last one was recorded, that one included."""
        return len(self._times)

    @property
    def is_exceeded(self) -> bool:
        """Whether the last failure was one too many."""
        return self.failures > self.max_restarts
