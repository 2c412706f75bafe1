"""Hold where the messages stand that a subscriber has still to read, having looked at each message once."""

from collections import deque

from exmc_actors.runtime.choice import Choice
from exmc_actors.runtime.log import Log


class Unread:
    """The numbers of a log's messages, from a cursor on, that one subscriber takes."""

    def __init__(self, log: Log, choice: Choice, number: int) -> None:
        """Begin with the message of a number, wherever that is."""
        self.number = number
        """Everything before it was read, skipped, or not for this subscriber."""
        self._log = log
        self._choice = choice
        self._taken: deque[int] = deque()
        self._looked_at = number

    def __len__(self) -> int:
        """Return how many there are."""
        self._look()
        return len(self._taken)

    def first(self) -> int | None:
        """Return the number of the next message; None where none is unread."""
        self._look()
        return self._taken[0] if self._taken else None

    def pass_first(self) -> None:
        """Go on behind the next message."""
        self.number = self._taken.popleft() + 1

    def skip_to(self, capacity: int) -> int:
        """Skip the oldest as long as there are more than so many, and return how many were skipped."""
        excess = max(0, len(self) - capacity)
        for _ in range(excess):
            self.pass_first()
        return excess

    def _look(self) -> None:
        messages = self._log.messages
        while self._taken and self._taken[-1] >= len(messages):  # there are fewer once the run was cancelled
            self._taken.pop()
        if self._looked_at < len(messages):
            self._taken.extend(self._choice.taken(messages, self._looked_at))
            self._looked_at = len(messages)
