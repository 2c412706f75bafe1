"""The statistics of a block have names and types, and are made where it was computed."""

import threading

import numpy as np
import pytest
import trio

from exmc_actors.chain import ChainState
from exmc_actors.messages import STAT_TYPES, STATS
from exmc_actors.opening import open_run
from exmc_actors.runtime import typed_stats as module
from exmc_actors.runtime.protocol import Advanced, Unstartable
from exmc_actors.runtime.typed_stats import typed_stats, with_typed_stats
from tests.runtime.conftest import SETTINGS, FixedBlocks, schools

ROWS = np.arange(3.0 * len(STATS)).reshape(3, len(STATS)) % 4


def test_each_statistic_is_a_column_of_its_type():
    for column, (name, values) in zip(ROWS.T, typed_stats(ROWS).items(), strict=True):
        assert values.dtype == STAT_TYPES.get(name, np.float64), name
        np.testing.assert_array_equal(values, column.astype(values.dtype))


def test_numbers_are_not_copied():
    assert np.shares_memory(typed_stats(ROWS)["lp"], ROWS)


def test_an_answer_that_has_no_statistics_stays_as_it_is():
    refused = Unstartable("nowhere")
    state = ChainState(*[None] * len(ChainState._fields))
    given, other = with_typed_stats([Advanced(state, ROWS, ROWS), refused])
    assert list(given.typed_stats) == list(STATS)
    assert other is refused


def test_what_is_not_finite_is_typed_without_a_warning():
    """It is refused elsewhere."""
    assert len(typed_stats(np.full((2, len(STATS)), np.nan))) == len(STATS)


@pytest.mark.parametrize(
    "where",
    [{}, {"ensemble": True}, pytest.param({"workers": "process"}, marks=pytest.mark.slow)],
    ids=["threads", "ensemble", "processes"],
)
def test_long_blocks_are_typed_in_threads_and_not_on_the_loop(monkeypatch, where):
    threads = {}

    def noted(stats):
        threads.setdefault(len(stats), set()).add(threading.current_thread())
        return typed_stats(stats)

    async def main():
        options = SETTINGS | {"draws": 4000, "block_size": FixedBlocks((2000,))} | where
        async with open_run(schools(), **options) as run:
            await run.wait_over()

    monkeypatch.setattr(module, "typed_stats", noted)
    trio.run(main)
    assert threading.current_thread() not in threads[2000]
