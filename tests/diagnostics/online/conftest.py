"""Blocks cut from arrays, and estimators that have seen them."""

from collections.abc import Callable

import numpy as np
import pytest

from exmc_actors.diagnostics.online import Online
from exmc_actors.messages import STATS, DrawBlock


def block_of(chain, first, draws, *, phase="sample", energy=None, diverging=None) -> DrawBlock:
    """Return a block of draws of a mapping, or of one variable ``x`` of shape (draw, ...)."""
    draws = draws if isinstance(draws, dict) else {"x": draws}
    size = len(next(iter(draws.values())))
    stats = {name: np.zeros(size) for name in STATS} | {"diverging": np.zeros(size, dtype=bool)}
    if energy is not None:
        stats["energy"] = np.asarray(energy, dtype=float)
    if diverging is not None:
        stats["diverging"] = np.asarray(diverging)
    return DrawBlock(chain, phase, first, draws, stats)


def online_of(draws, sizes=(137,), **options) -> Online:
    """Return estimators that have seen draws of shape (quantity, chain, draw), in blocks of these sizes."""
    online = Online(draws.shape[1], **options)
    for chain in range(draws.shape[1]):
        first, turn = 0, 0
        while first < draws.shape[2]:
            size = sizes[turn % len(sizes)]
            online.observe(block_of(chain, first, draws[:, chain, first : first + size].T))
            first, turn = first + size, turn + 1
    return online


@pytest.fixture
def block() -> Callable[..., DrawBlock]:
    return block_of


@pytest.fixture
def seen() -> Callable[..., Online]:
    return online_of
