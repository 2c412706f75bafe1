"""Decide when restarting has stopped helping.

No clock in here: the caller says what time it is, so a test can say so too.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RestartIntensity:
    """At most ``max_restarts`` failures are healed within any ``max_seconds``."""

    max_restarts: int
    max_seconds: float
    times: tuple[float, ...] = ()
    """Failures that still count, oldest first."""

    def record(self, now: float) -> "RestartIntensity":
        """Count one more failure; as in OTP, one that is exactly ``max_seconds`` old still counts."""
        recent = tuple(time for time in self.times if now - time <= self.max_seconds)
        return RestartIntensity(self.max_restarts, self.max_seconds, (*recent, now))

    @property
    def is_exceeded(self) -> bool:
        """Whether the last failure was one too many."""
        return len(self.times) > self.max_restarts
