"""The statistics of a block have names and types, and are made where it was computed."""

import threading

import numpy as np
import pytest
import trio

from exmc_actors.chain import ChainState
from exmc_actors.messages import STAT_TYPES, STATS
from exmc_actors.opening import open_run
from exmc_actors.runtime import columns as module
from exmc_actors.runtime.columns import columns_of, with_columns
from exmc_actors.runtime.protocol import Advanced, Unstartable
from tests.runtime.conftest import SETTINGS, FixedBlocks, schools

ROWS = np.arange(3.0 * len(STATS)).reshape(3, len(STATS)) % 4


def test_each_statistic_is_a_column_of_its_type():
    for column, (name, values) in zip(ROWS.T, columns_of(ROWS).items(), strict=True):
        assert values.dtype == STAT_TYPES.get(name, np.float64), name
        np.testing.assert_array_equal(values, column.astype(values.dtype))


def test_numbers_are_not_copied():
    assert np.shares_memory(columns_of(ROWS)["lp"], ROWS)


def test_an_answer_that_has_no_statistics_stays_as_it_is():
    refused = Unstartable("nowhere")
    state = ChainState(*[None] * len(ChainState._fields))
    given, other = with_columns([Advanced(state, ROWS, ROWS), refused])
    assert list(given.columns) == list(STATS)
    assert other is refused


@pytest.mark.parametrize("ensemble", [False, True])
def test_they_are_made_in_the_threads_that_compute(monkeypatch, ensemble):
    """But for what is so quick that the loop computes it itself."""
    threads = {}

    def noted(stats):
        threads.setdefault(len(stats), set()).add(threading.current_thread())
        return columns_of(stats)

    async def main():
        options = SETTINGS | {"draws": 4000, "block_size": FixedBlocks((2000,)), "ensemble": ensemble}
        async with open_run(schools(), **options) as run:
            await run.wait_over()

    monkeypatch.setattr(module, "columns_of", noted)
    monkeypatch.setattr("exmc_actors.runtime.chain_actor.columns_of", noted)
    trio.run(main)
    assert threading.current_thread() not in threads[2000]
