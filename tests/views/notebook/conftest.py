"""Blocks with variables, and a run as the parts of a picture see it."""

import numpy as np
import pytest

from exmc_actors.messages import STATS, DrawBlock


@pytest.fixture
def drawn():
    """Make a block with the given draws by variable, some of which diverged."""

    def make(chain, first, draws, *, phase="sample", diverged=0):
        n = len(next(iter(draws.values())))
        stats = {name: np.zeros(n) for name in STATS}
        stats["diverging"] = np.arange(n) < diverged
        stats["step_size"] = np.full(n, 0.5)
        stats["n_steps"] = np.full(n, 7)
        stats["energy"] = np.sin(np.arange(n))
        return DrawBlock(chain, phase, first, draws, stats)

    return make
