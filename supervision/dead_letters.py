"""Count the messages that nobody will ever read, and keep the last few for looking at."""

from collections import deque
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, final

from supervision import telemetry

DEAD_LETTERS: Final = ("supervision", "dead_letters")
"""Messages were sent to nobody, or were in a mailbox when its process ended; see ``report``."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that nobody will read."""

    target: str
    """Whom it was for, as the sender put it, or the process that did not get to it."""
    message: Any


@final
class DeadLetters(AbstractContextManager["DeadLetters"]):
    """Watches for dead letters inside a ``with`` block: ``count`` of all, ``last`` of a few."""

    def __init__(self, keep: int = 100) -> None:
        """Prepare to watch.

        Args:
          keep: how many of the last letters are kept.
        """
        self.count = 0
        self._last: deque[DeadLetter] = deque(maxlen=keep)

    @property
    def last(self) -> tuple[DeadLetter, ...]:
        """The last letters, the oldest first."""
        return tuple(self._last)

    def __enter__(self) -> "DeadLetters":
        """Start watching."""
        telemetry.attach(self, DEAD_LETTERS, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop watching; what was seen stays."""
        telemetry.detach(self)

    def _note(
        self, event: telemetry.EventName, measured: Mapping[str, Any], metadata: Mapping[str, Any]
    ) -> None:
        self.count += measured["count"]
        self._last.extend(DeadLetter(metadata["target"], message) for message in metadata["messages"])
