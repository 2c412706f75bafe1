"""Hold the messages of a run: the recent ones in memory, older blocks where they lie in the journal.

A message has the same number for as long as the run is known, wherever it lies.  The event loop's thread
alone appends; any thread may read.  Without a journal every block stays in memory.
"""

from array import array
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, overload

import numpy as np

from exmc_actors.errors import StoreError
from exmc_actors.messages import DrawBlock, Message, Phase, RunPaused, RunResumed
from exmc_actors.runtime.journal import Place, Shelf

RECENT_BYTES = 64 << 20
"""How much of the blocks that lie in a journal stays in memory, of each run."""

WHOLE_RUN = -1
"""The chain of a message that is of no chain alone."""

PHASES: tuple[Phase, ...] = ("warmup", "sample")


class Position(NamedTuple):
    """What is known of a message without its arrays."""

    chain: int
    phase: int
    """Index in ``PHASES``; -1 where the message is no block."""
    first: int
    length: int
    """How many draws."""
    segment: int
    """0 where it lies in no journal."""
    begin: int
    frame: int
    """Bytes that it takes there."""

    @property
    def place(self) -> Place:
        """Where it lies in the journal."""
        return Place(self.segment, self.begin, self.frame)


_WIDTH = len(Position._fields)
_NOWHERE = (0, 0, 0)


class History(Sequence[Message]):
    """The messages of a run in the order of their commits."""

    def __init__(self, shelf: Shelf | None = None) -> None:
        """Begin empty.

        Args:
          shelf: reads blocks from the run's journal; needed where any of them lies in one.
        """
        self._shelf = shelf
        self._messages: list[Message | None] = []
        self._positions = array("q")  # a row a message: they are what is left of a long run
        self._recent: deque[tuple[int, int]] = deque()
        self._recent_bytes = 0

    def __len__(self) -> int:
        """Return how many messages there are."""
        return len(self._messages)

    @overload
    def __getitem__(self, at: int) -> Message: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Message]: ...
    def __getitem__(self, at: int | slice) -> Message | Sequence[Message]:
        """Return a message, from the journal where it is not in memory.

        Raises:
          StoreError: it cannot be read there any more.
        """
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        message = self._messages[at]
        return self._read(self.position(at)) if message is None else message

    def in_memory(self, at: int) -> Message | None:
        """Return a message, or None where it would have to be read."""
        return self._messages[at]

    def position(self, at: int) -> Position:
        """Return what is known of a message without its arrays."""
        row = range(len(self))[at] * _WIDTH
        return Position(*self._positions[row : row + _WIDTH])

    def positions(self, begin: int = 0) -> np.ndarray:
        """Return the positions at this moment, a row a message, with the columns of ``Position``.

        Args:
          begin: number of the message of the first row.
        """
        # A copy made in one step: the array cannot grow while somebody looks into its memory.
        return np.asarray(self._positions[begin * _WIDTH : len(self) * _WIDTH]).reshape(-1, _WIDTH)

    def append(self, message: Message, place: Place | None = None) -> None:
        """Take in a message.

        Args:
          message: not yet in memory otherwise.
          place: where it lies in the journal: then it will not stay in memory for ever.
        """
        # First where it lies: whoever sees the message, in another thread too, finds the rest.
        self._positions.extend((*_of(message), *_row(place)))
        self._messages.append(message)
        if place is not None and isinstance(message, DrawBlock):
            self._recent.append((len(self) - 1, _size_of(message)))
            self._recent_bytes += self._recent[-1][1]
            self._let_go()

    def append_kept(self, chain: int, phase: Phase, first: int, length: int, place: Place) -> None:
        """Take in a block that lies in the journal and is not in memory."""
        self._positions.extend((chain, PHASES.index(phase), first, length, *_row(place)))
        self._messages.append(None)

    def _let_go(self) -> None:
        """Let go of the oldest blocks in memory that can be read again, as long as there are too many."""
        while self._recent_bytes > RECENT_BYTES:
            at, size = self._recent.popleft()
            self._messages[at] = None
            self._recent_bytes -= size

    def _read(self, position: Position) -> DrawBlock:
        assert self._shelf is not None
        block = self._shelf.block(position.place)
        if _of(block) != position[:4]:
            raise StoreError(
                "the journal of the run holds another block than it did: leave a store that is in use alone."
            )
        return block


def _of(message: Message) -> tuple[int, int, int, int]:
    if isinstance(message, DrawBlock):
        return message.chain, PHASES.index(message.phase), message.first, len(message)
    chain = WHOLE_RUN if isinstance(message, RunPaused | RunResumed) else message.chain
    return chain, -1, 0, 0


def _row(place: Place | None) -> tuple[int, int, int]:
    return _NOWHERE if place is None else (place.segment, place.first, place.length)


def _size_of(block: DrawBlock) -> int:
    return sum(values.nbytes for part in (block.draws, block.stats) for values in part.values())
