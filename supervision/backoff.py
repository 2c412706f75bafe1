"""Decide how long to wait before a restart; off unless asked for, as in OTP.

No clock and no dice in here: the caller says how long the child lived, and the jitter follows from a seed.
"""

import math
from dataclasses import dataclass
from hashlib import blake2b
from itertools import takewhile

from supervision.child import is_number
from supervision.errors import SpecError


@dataclass(frozen=True)
class Backoff:
    """Wait ``min`` seconds before the first restart of a child, twice as long before each next one.

    Raises:
      SpecError: when a field is out of its range.
    """

    min: float
    max: float
    """No wait is longer, but for the jitter."""
    jitter: float = 0.0
    """Each wait is made longer or shorter by at most this part of it, 0 to 1."""
    reset_after: float | None = None
    """A child that has lived this long begins at ``min`` again; None means ``max`` seconds."""
    seed: int = 0
    """The same seed, place in the tree and number of failures: the same wait."""

    def __post_init__(self) -> None:
        if not (is_number(self.min) and is_number(self.max) and 0 < self.min <= self.max < math.inf):
            raise SpecError(
                f"Backoff needs 0 < min <= max, in seconds, got min={self.min!r}, max={self.max!r}."
            )
        if not (is_number(self.jitter) and 0 <= self.jitter <= 1):
            raise SpecError(f"jitter is a part of the wait, from 0 to 1, got {self.jitter!r}.")
        if self.reset_after is not None and not (is_number(self.reset_after) and self.reset_after >= 0):
            raise SpecError(f"reset_after must be a number of seconds or None, got {self.reset_after!r}.")

    def failures_in_a_row(self, before: int, lived: float) -> int:
        """Return how many failures there are in a row now that a child has failed again.

        Args:
          before: how many there were.
          lived: seconds from its last start to this end; 0 for a start that failed.
        """
        limit = self.max if self.reset_after is None else self.reset_after
        return 1 if lived >= limit else before + 1

    def wait(self, child: str, failures: int) -> float:
        """Return the seconds to wait before restarting ``child`` after so many failures in a row.

        Args:
          child: says which one it is, among all that should not come back at the same time.
          failures: how often it has failed, this time included.
        """
        doublings = sum(1 for _ in takewhile(lambda n: self.min * 2**n < self.max, range(failures - 1)))
        wait = min(self.max, self.min * 2.0**doublings)
        return wait * (1 + self.jitter * self._between_minus_and_plus_one(child, failures))

    def _between_minus_and_plus_one(self, child: str, failures: int) -> float:
        digest = blake2b(f"{self.seed}/{child}/{failures}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) / 2**63 - 1
