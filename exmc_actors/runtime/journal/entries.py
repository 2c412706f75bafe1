"""Say what is known of a block in a journal without its arrays, which are read when somebody needs them."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from exmc_actors.messages import STATS, DrawBlock, Phase
from exmc_actors.runtime.journal.records import (
    BlockRecord,
    ChainsRecord,
    FailedRecord,
    LengthRecord,
    LessonRecord,
    MakerRecord,
    StoppedRecord,
    StopRecord,
)
from exmc_actors.runtime.journal.segments import Place


@dataclass(frozen=True, slots=True)
class Counts:
    """What a log counts of a block."""

    step_size: float
    """Of its last draw."""
    steps: int
    divergences: int


@dataclass(frozen=True, slots=True)
class BlockEntry:
    """A committed block, as far as it takes no memory."""

    place: Place
    chain: int
    phase: Phase
    first: int
    transitions: int
    """How many the chain had made before it."""
    length: int
    counts: Counts
    dim: int | None
    """Dimensions of the state that follows; None where block and state do not belong together."""


Entry: TypeAlias = (
    BlockEntry
    | LessonRecord
    | FailedRecord
    | StoppedRecord
    | ChainsRecord
    | LengthRecord
    | StopRecord
    | MakerRecord
)


def entry_of(record: BlockRecord, place: Place) -> BlockEntry:
    """Return what is to be known of a block that lies at a place; its bytes may be anybody's."""
    block, is_whole = record.block, _is_whole(record)
    return BlockEntry(
        place,
        block.chain,
        block.phase,
        block.first,
        record.transitions,
        len(block) if is_whole else 0,
        counts_of(block) if is_whole else Counts(float("nan"), 0, 0),
        len(record.state.point.position) if is_whole else None,
    )


def counts_of(block: DrawBlock) -> Counts:
    """Return what a log counts of a block."""
    is_kept = block.phase == "sample"
    return Counts(
        float(block.stats["step_size"][-1]),
        int(block.stats["n_steps"].sum()),
        int(np.count_nonzero(block.stats["diverging"])) if is_kept else 0,
    )


def _is_whole(record: BlockRecord) -> bool:
    block, dim = record.block, np.shape(record.state.point.position)
    columns = [*block.draws.values(), *block.stats.values()]
    return (
        set(block.stats) == set(STATS)
        and len({array.shape[:1] for array in columns}) == 1
        and columns[0].ndim > 0
        and len(block) > 0
        and int(record.state.transitions) == record.transitions + len(block)
        and (record.pairs is None or record.pairs.shape[1:] == (2, *dim))
    )
