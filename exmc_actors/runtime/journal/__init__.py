"""A run on disk: what was committed, in the order of the commits, and what is needed to go on with it."""

from exmc_actors.runtime.journal.entries import BlockEntry, Entry, entry_of
from exmc_actors.runtime.journal.head import DRAWS_OF_A_SEED, MOST_ADDED, Head, encode_head, longer
from exmc_actors.runtime.journal.journal import (
    Journal,
    Kept,
    Shelf,
    create,
    holds_a_run,
    open_again,
    read,
)
from exmc_actors.runtime.journal.records import (
    BlockRecord,
    ChainsRecord,
    FailedRecord,
    LengthRecord,
    LessonRecord,
    MakerRecord,
    Record,
    StoppedRecord,
    StopRecord,
)
from exmc_actors.runtime.journal.segments import Disk, Place
from exmc_actors.runtime.journal.tail import Tail

__all__ = [
    "DRAWS_OF_A_SEED",
    "MOST_ADDED",
    "BlockEntry",
    "BlockRecord",
    "ChainsRecord",
    "Disk",
    "Entry",
    "FailedRecord",
    "Head",
    "Journal",
    "Kept",
    "LengthRecord",
    "LessonRecord",
    "MakerRecord",
    "Place",
    "Record",
    "Shelf",
    "StopRecord",
    "StoppedRecord",
    "Tail",
    "create",
    "encode_head",
    "entry_of",
    "holds_a_run",
    "longer",
    "open_again",
    "read",
]
