"""A run on disk: what was committed, in the order of the commits, and what is needed to go on with it."""

from exmc_actors.runtime.journal.head import Head, encode_head
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

__all__ = [
    "BlockRecord",
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
    "encode_head",
    "open_again",
    "read",
]
