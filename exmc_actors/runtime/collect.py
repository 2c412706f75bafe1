"""Gather the committed draws of some chains into arrays; knows nothing of containers."""

from collections.abc import Sequence

import numpy as np

from exmc_actors.messages import DrawBlock, Phase
from exmc_actors.runtime.log import Log

Columns = dict[str, np.ndarray]
"""Arrays by name, each of shape (chain, draw, ...)."""


def committed_draws(log: Log, chains: Sequence[int], phase: Phase) -> list[int]:
    """Return how many draws of a phase each chain has committed."""
    lengths = dict.fromkeys(chains, 0)
    for message in log.messages:
        if isinstance(message, DrawBlock) and message.phase == phase and message.chain in lengths:
            lengths[message.chain] += len(message)
    return [lengths[chain] for chain in chains]


def collect(log: Log, chains: Sequence[int], phase: Phase, length: int) -> tuple[Columns, Columns]:
    """Return draws and statistics of the first ``length`` draws of each chain.

    A chain that has fewer is filled up with NaN, its statistics too; whether that may be is for the
    caller, who knows the lengths.
    """
    blocks = [
        message
        for message in log.messages
        if isinstance(message, DrawBlock) and message.phase == phase and message.chain in chains
    ]
    if not blocks:
        return {}, {}
    lengths = committed_draws(log, chains, phase)
    row_of = {chain: row for row, chain in enumerate(chains)}
    gathered: tuple[Columns, Columns] = ({}, {})
    for columns, parts in zip(gathered, ("draws", "stats"), strict=True):
        for name, example in getattr(blocks[0], parts).items():
            columns[name] = np.empty((len(chains), length, *example.shape[1:]))
            for row, there in enumerate(lengths):
                columns[name][row, there:] = np.nan
        for block in blocks:
            count = min(len(block), length - block.first)
            if count > 0:
                for name, values in getattr(block, parts).items():
                    columns[name][row_of[block.chain], block.first : block.first + count] = values[:count]
    return gathered
