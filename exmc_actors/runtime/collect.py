"""Gather the committed draws of some chains into arrays; knows nothing of containers.

Blocks are read one after the other, so that what is in memory is the arrays that are returned and one block.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from exmc_actors.messages import DrawBlock, Phase
from exmc_actors.runtime.history import PHASES, Position
from exmc_actors.runtime.log import Log

Columns = dict[str, np.ndarray]
"""Arrays by name, each of shape (chain, draw, ...)."""


def committed_draws(log: Log, chains: Sequence[int], phase: Phase) -> list[int]:
    """Return how many draws of a phase each chain has committed."""
    rows = log.messages.positions()
    rows = rows[rows[:, 1] == PHASES.index(phase)]
    made = np.bincount(rows[:, 0], weights=rows[:, 3], minlength=max(chains, default=0) + 1)
    return [int(made[chain]) for chain in chains]


def collect(
    log: Log, chains: Sequence[int], phase: Phase, length: int, names: Sequence[str] | None = None
) -> tuple[Columns, Columns]:
    """Return draws and statistics of the first ``length`` draws of each chain.

    A chain that has fewer is filled up with NaN, its statistics too, which then are numbers all of them;
    whether that may be is for the caller, who knows the lengths.

    Args:
      log: of the run.
      chains: a row each.
      phase: which draws.
      length: how many of each chain.
      names: of the variables to return; None means all.

    Raises:
      StoreError: a block that lies in a journal cannot be read there any more.
    """
    lengths = committed_draws(log, chains, phase)
    blocks = blocks_of(log, chains, phase, length)
    first = next(blocks, None)
    if first is None:
        return {}, {}
    gathered = _columns(np.empty, first, lengths, length, names)
    for row, there in enumerate(lengths):
        if there < length:
            for array in (*gathered[0].values(), *gathered[1].values()):
                array[row, there:] = np.nan
    row_of = {chain: row for row, chain in enumerate(chains)}
    for block in itertools.chain([first], blocks):
        row, here = row_of[block.chain], slice(block.first, min(block.first + len(block), length))
        for columns, parts in zip(gathered, (block.draws, block.stats), strict=True):
            for name, array in columns.items():
                array[row, here] = parts[name][: here.stop - here.start]
    return gathered


def outline(
    log: Log, chains: Sequence[int], phase: Phase, length: int, names: Sequence[str] | None = None
) -> tuple[Columns, Columns]:
    """Return arrays of the shapes and types that ``collect`` gives; they hold nothing, and take no memory."""
    first = next(blocks_of(log, chains, phase, length), None)
    if first is None:
        return {}, {}
    return _columns(_hollow, first, committed_draws(log, chains, phase), length, names)


def blocks_of(log: Log, chains: Sequence[int], phase: Phase, length: int) -> Iterator[DrawBlock]:
    """Yield the blocks with the first ``length`` draws of some chains, in the order of their commits.

    Raises:
      StoreError: one that lies in a journal cannot be read there any more.
    """
    for at, position in _blocks(log, chains, phase):
        if position.first < length:
            block = log.messages[at]
            assert isinstance(block, DrawBlock)
            yield block


def _blocks(log: Log, chains: Sequence[int], phase: Phase) -> Iterator[tuple[int, Position]]:
    """Yield number and position of each block of a phase of some chains."""
    rows = log.messages.positions()
    wanted = (rows[:, 1] == PHASES.index(phase)) & np.isin(rows[:, 0], np.asarray(chains, dtype=np.int64))
    for at in np.flatnonzero(wanted).tolist():
        yield at, Position(*rows[at].tolist())


def _columns(
    make: Callable[[tuple[int, ...], np.dtype], np.ndarray],
    like: DrawBlock,
    lengths: Sequence[int],
    length: int,
    names: Sequence[str] | None,
) -> tuple[Columns, Columns]:
    """Return an array for each variable and statistic of a block, with a row for each of the lengths."""
    is_filled_up = min(lengths) < length

    def made(values: np.ndarray) -> np.ndarray:
        kind = np.dtype(np.float64) if is_filled_up else values.dtype
        return make((len(lengths), length, *values.shape[1:]), kind)

    draws = like.draws if names is None else {name: like.draws[name] for name in names}
    return (
        {name: made(values) for name, values in draws.items()},
        {name: made(values) for name, values in like.stats.items()},
    )


def _hollow(shape: tuple[int, ...], kind: np.dtype) -> np.ndarray:
    return np.broadcast_to(np.zeros((), kind), shape)
