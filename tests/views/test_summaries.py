"""Summaries come while a run goes on, miss nothing, hold nobody back, and end with the run."""

from contextlib import asynccontextmanager

import numpy as np
import pytest
import trio

import exmc_actors as ex
from exmc_actors.diagnostics import Online
from exmc_actors.messages import ChainFailed, ChainFinished, ChainStopped, SubscriptionStatistics
from exmc_actors.runtime import inline
from exmc_actors.views.summaries import open_summaries
from tests.runtime.conftest import virtual


class Feed:
    """Messages that come after waits, of which a cancelled wait takes none."""

    def __init__(self, script):
        times = np.cumsum([wait for wait, _ in script])
        self._coming = [(float(at), message) for at, (_, message) in zip(times, script, strict=True)]

    async def __anext__(self):
        await trio.lowlevel.checkpoint()
        if not self._coming:
            raise StopAsyncIteration
        await trio.sleep_until(self._coming[0][0])
        return self._coming.pop(0)[1]

    def statistics(self):
        waiting = sum(at <= trio.current_time() for at, _ in self._coming)
        return SubscriptionStatistics(ex.DROP_OLDEST, 1, waiting, 0, 0)


def opened(script, every=1.0):
    @asynccontextmanager
    async def subscribe(**_):
        yield Feed(script)

    return open_summaries(subscribe, Online(2), every=every, runner=inline)


async def scripted(script, every=1.0):
    """Return the summaries of a run whose messages come after these waits, with the times they came at."""
    async with opened(script, every) as summaries:
        return [(trio.current_time(), summary) async for summary in summaries]


@pytest.fixture
def drawn(block):
    """Make a block that has a variable."""

    def make(chain, first, n, phase="sample"):
        made = block(chain, phase, first, n)
        return ex.DrawBlock(chain, phase, first, {"mu": np.arange(first, first + n, dtype=float)}, made.stats)

    return make


def test_they_come_so_many_seconds_apart_and_the_last_tells_of_the_end(drawn):
    script = [(0.3, drawn(0, 10 * i, 10)) for i in range(10)]
    began_and_seen = virtual(lambda: scripted(script))
    times = [at for at, _ in began_and_seen]
    assert np.diff([0.0, *times]) == pytest.approx([1.0, 1.0, 1.0])
    assert [summary.draws[0] for _, summary in began_and_seen] == [30, 60, 100]


def test_none_comes_before_there_is_a_draw_or_where_nothing_is_new(drawn):
    script = [
        (5.0, drawn(0, 0, 50, "warmup")),
        (5.0, drawn(0, 0, 10)),
        (50.0, drawn(0, 10, 10)),
        (5.0, ChainFinished(0)),
    ]
    seen = virtual(lambda: scripted(script))
    assert [(at, int(summary.draws[0])) for at, summary in seen] == [(10.0, 10), (60.0, 20)]
    assert seen[0][1].warmup[0] == 50


@pytest.mark.parametrize("end", [ChainStopped(1, "sample", 10), ChainFailed(1, "sample", 10, "boom")])
def test_the_end_of_a_chain_that_is_left_out_from_then_on_is_new(drawn, end):
    script = [(0.5, drawn(0, 0, 10)), (0.0, drawn(1, 0, 10)), (5.0, end)]
    seen = [summary for _, summary in virtual(lambda: scripted(script))]
    assert [summary.stopped + summary.failed for summary in seen] == [(), (1,)]


def test_one_comes_when_it_is_due_though_no_message_does(drawn):
    script = [(0.2, drawn(0, 0, 10)), (9.0, drawn(0, 10, 10))]
    assert [at for at, _ in virtual(lambda: scripted(script))] == pytest.approx([1.0, 9.2])


def test_a_run_without_draws_has_none(drawn):
    assert virtual(lambda: scripted([(1.0, drawn(0, 0, 9, "warmup"))])) == []


def test_a_call_that_is_cancelled_loses_nothing(drawn):
    async def main():
        async with opened([(0.3, drawn(0, 10 * i, 10)) for i in range(10)], every=2.0) as summaries:
            for seconds in (0.0, 0.1, 0.5, 0.0, 0.7):
                with trio.move_on_after(seconds):
                    await anext(summaries)
            return [summary async for summary in summaries]

    *_, last = virtual(main)
    assert last.draws[0] == 100
    assert last.missed == 0


def test_who_comes_seldom_is_told_of_all_that_there_is(drawn):
    async def main():
        seen = []
        async with opened([(0.1, drawn(0, 10 * i, 10)) for i in range(100)], every=0.5) as summaries:
            async for summary in summaries:
                seen.append(int(summary.draws[0]))
                await trio.sleep(4.0)
        return seen

    # By trio's clock, which messages do not move: at 0.5, 4.5 and 8.5 seconds, and at the end.
    assert virtual(main) == [50, 450, 850, 1000]


@pytest.mark.parametrize("every", [0, -1.0, "soon", True, float("nan"), float("inf")])
def test_an_interval_that_is_no_positive_number_is_refused(every):
    with pytest.raises(ex.SettingsError, match="every must be a positive number of seconds, got"):
        virtual(lambda: scripted([], every=every))
