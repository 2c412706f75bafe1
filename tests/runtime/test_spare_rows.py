"""Blocks of a program are written into rows that are used again; of these a process keeps a few."""

import jax.numpy as jnp
import numpy as np
import pytest

import exmc_actors as ex
from exmc_actors.messages import DrawBlock
from exmc_actors.runtime import executables, executables_for
from exmc_actors.runtime.executables import Executables
from exmc_actors.runtime.spare_rows import KEPT_ROWS, SpareRows
from tests.runtime.conftest import observe, schools, virtual


def test_rows_of_another_program_are_not_taken():
    spare = SpareRows(3)
    a, b, rows = object(), object(), np.zeros(3)
    spare.give(a, rows)
    assert spare.take(b) is None
    assert spare.take(a) is rows
    assert spare.take(a) is None


def test_large_rows_are_not_kept():
    spare, a = SpareRows(3), object()
    spare.give(a, np.zeros(4))
    assert spare.take(a) is None


def test_blocks_write_into_the_same_rows_again_and_keep_copies(monkeypatch):
    monkeypatch.setattr(executables, "_spare_rows", SpareRows(executables.BUFFER_NUMBERS))
    program = ex.compile(schools())
    executables_for(program, 10).compile(program.arguments)  # traced with rows that no block is written into
    made, new_rows = [], Executables._new_rows
    monkeypatch.setattr(Executables, "_new_rows", lambda self: made.append(1) or new_rows(self))
    seen = virtual(lambda: observe(chains=1))
    assert made == [1]
    blocks = [m for m in seen.messages if isinstance(m, DrawBlock) and m.phase == "sample"]
    whole = np.concatenate([block.draws["theta"] for block in blocks])
    assert whole.tobytes() == seen.tree.posterior["theta"].values[0].tobytes()
    assert len(np.unique(whole, axis=0)) > 40


@pytest.mark.slow
def test_a_process_keeps_the_rows_of_a_few_blocks_for_the_programs_that_ran_last(monkeypatch):
    monkeypatch.setattr(executables, "_spare_rows", SpareRows(executables.BUFFER_NUMBERS))
    first, *others = [
        ex.LogDensity(lambda q: -0.5 * jnp.dot(q, q), np.zeros(1)) for _ in range(KEPT_ROWS + 1)
    ]
    for target in (first, *others):
        virtual(lambda target=target: observe(model=target, chains=1, draws=5, tune=5))
    kept = [owner for owner, _ in executables._spare_rows._rows]
    assert kept == [executables_for(target, 10) for target in others]
