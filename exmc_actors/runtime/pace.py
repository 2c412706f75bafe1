"""Foretell how long a call takes, from how long the last ones took; no draw depends on it."""

import math

CALL_SECONDS = 1e-4
"""What a call takes beside its transitions: handing it the state, and taking the rows."""


class Pace:
    """Seconds a transition, of each chain; of a chain that has made none yet, as of the others."""

    def __init__(self) -> None:
        """Know nothing yet: any call may take for ever."""
        self._of_chain: dict[int, float] = {}
        self._latest = math.inf

    def expect(self, chain: int, transitions: int) -> float:
        """Return how many seconds so many transitions may take."""
        return CALL_SECONDS + transitions * self._of_chain.get(chain, self._latest)

    def observe(self, chain: int, transitions: int, seconds: float) -> None:
        """Learn how long a call took."""
        self._latest = self._of_chain[chain] = max(0.0, seconds - CALL_SECONDS) / transitions
