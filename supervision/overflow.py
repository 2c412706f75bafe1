"""Name what happens to a message for which there is no room; who holds the messages carries it out."""

from enum import Enum
from typing import Final


class Overflow(Enum):
    """The answer to a full buffer. Each place says which of these it accepts."""

    WAIT = "wait"
    """The sender waits for room; nothing is lost."""
    RAISE = "raise"
    """Somebody is told by an exception; the place says who."""
    DROP_NEWEST = "drop_newest"
    """The message that finds no room is dropped, and counted."""
    DROP_OLDEST = "drop_oldest"
    """The message that has waited longest makes room, and is counted."""
    LATEST = "latest"
    """Only the newest message is kept; the others are counted."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"


WAIT: Final = Overflow.WAIT
RAISE: Final = Overflow.RAISE
DROP_NEWEST: Final = Overflow.DROP_NEWEST
DROP_OLDEST: Final = Overflow.DROP_OLDEST
LATEST: Final = Overflow.LATEST
