"""A run on disk: what was committed, in the order of the commits, and what is needed to go on with it."""

from exmc_actors.runtime.journal.head import Head
from exmc_actors.runtime.journal.journal import Journal, Kept, create, open_again, read
from exmc_actors.runtime.journal.records import (
    BlockRecord,
    FailedRecord,
    LengthRecord,
    LessonRecord,
    MakerRecord,
    Record,
    StopRecord,
)
from exmc_actors.runtime.journal.segments import Disk

__all__ = [
    "BlockRecord",
    "Disk",
    "FailedRecord",
    "Head",
    "Journal",
    "Kept",
    "LengthRecord",
    "LessonRecord",
    "MakerRecord",
    "Record",
    "StopRecord",
    "create",
    "open_again",
    "read",
]
