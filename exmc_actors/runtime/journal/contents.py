"""Sort what the payloads of a journal are, one after the other, and leave out what cannot be of its run."""

from collections import Counter
from dataclasses import dataclass, field

from exmc_actors.messages import DrawBlock
from exmc_actors.runtime.journal.entries import Entry, entry_of
from exmc_actors.runtime.journal.head import Head, decode_head
from exmc_actors.runtime.journal.records import BlockRecord, decode_record
from exmc_actors.runtime.journal.segments import Place

Shapes = tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Columns:
    """The names of a block's columns, and the shape of one draw of each."""

    draws: Shapes = ()
    stats: Shapes = ()


@dataclass
class Contents:
    """What was found so far."""

    heads: list[Head] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    """Which records can be none of this run."""
    _entries: list[tuple[int, Entry, Columns | None]] = field(default_factory=list)
    """With the number of the record, and of a block its columns."""
    _known: dict[Columns, Columns] = field(default_factory=dict)
    """One object for all blocks that have the same."""
    _taken: int = 0

    def take(self, place: Place, payload: bytes) -> None:
        """Take the payload at a place."""
        try:
            record = decode_record(payload)
        except ValueError:
            self._take_head(payload)
        else:
            if isinstance(record, BlockRecord):
                columns = self._columns_of(record.block)
                self._entries.append((self._taken, entry_of(record, place), columns))
            else:
                self._entries.append((self._taken, record, None))
        self._taken += 1

    def agreeing(self) -> tuple[list[Entry], Columns]:
        """Return the entries, without blocks of other columns than most have, and what those columns are.

        A head does not say which columns there are where its model is a function.
        """
        votes = Counter(columns for _, _, columns in self._entries if columns is not None)
        chosen = max(votes, key=votes.__getitem__, default=Columns())
        agreeing: list[Entry] = []
        for number, entry, columns in self._entries:
            if columns is None or columns == chosen:
                agreeing.append(entry)
            else:
                self.foreign.append(f"record {number}")
        return agreeing, chosen

    def _take_head(self, payload: bytes) -> None:
        try:
            self.heads.append(decode_head(payload))
        except ValueError:
            self.foreign.append(f"record {self._taken}")

    def _columns_of(self, block: DrawBlock) -> Columns:
        draws, stats = (
            tuple((name, values.shape[1:]) for name, values in part.items())
            for part in (block.draws, block.stats)
        )
        columns = Columns(draws, stats)
        return self._known.setdefault(columns, columns)
