"""Subscribers lose nothing or slow nobody, as they ask; the log is the truth and the feed only wakes."""

import numpy as np
import pytest
import trio

import exmc_actors as ex
from exmc_actors.messages import DROP_OLDEST, WAIT, ChainFinished, DrawBlock
from exmc_actors.opening import open_run
from exmc_actors.runtime import Feed, Log, Settings, inline
from tests.runtime.conftest import SETTINGS, FixedBlocks, commit, draws_of, observe, read, schools, virtual


def test_a_subscriber_sees_what_is_committed_after_it_came_once_and_in_order():
    async def main():
        feed = Feed(Log(Settings(draws=7, tune=0, chains=1)))
        commit(feed, 3)
        async with feed.subscribe() as subscription:
            commit(feed, 4)
            assert await read(subscription, 4) == [3, 4, 5, 6]
            assert isinstance(await anext(subscription), ChainFinished)
            with pytest.raises(StopAsyncIteration):
                await anext(subscription)

    virtual(main)


def test_a_late_subscriber_may_replay_from_the_first_draw(feed):
    async def main():
        commit(feed, 3)
        async with feed.subscribe(from_start=True) as subscription:
            assert await read(subscription, 3) == [0, 1, 2]

    virtual(main)


def test_drop_oldest_skips_the_oldest_counts_them_and_never_holds_a_chain_back(feed):
    async def main():
        async with feed.subscribe(overflow=DROP_OLDEST, capacity=2) as subscription:
            commit(feed, 10)
            with trio.fail_after(1):
                await feed.wait_for_room()
            assert await read(subscription, 2) == [8, 9]
            statistics = subscription.statistics()
            assert (statistics.dropped, statistics.delivered, statistics.waiting) == (8, 2, 0)

    virtual(main)


def test_wait_holds_the_next_block_back_until_the_subscriber_has_read(feed):
    async def main():
        async with feed.subscribe(overflow=WAIT, capacity=3) as subscription, trio.open_nursery() as nursery:
            commit(feed, 3)
            gone_on = trio.Event()

            async def chain():
                await feed.wait_for_room()
                gone_on.set()

            nursery.start_soon(chain)
            await trio.testing.wait_all_tasks_blocked()
            assert not gone_on.is_set()
            assert subscription.statistics().waiting == 3
            await read(subscription, 1)
            await gone_on.wait()
            assert subscription.statistics().dropped == 0

    virtual(main)


def test_no_chain_begins_another_block_of_a_run_that_is_left(feed):
    async def main():
        await feed.wait_for_room()
        feed.hold_for_good()
        with pytest.raises(trio.TooSlowError), trio.fail_after(1):
            await feed.wait_for_room()

    virtual(main)


def test_a_subscriber_that_leaves_lets_the_chains_go(feed):
    async def main():
        async with trio.open_nursery() as nursery, feed.subscribe(overflow=WAIT, capacity=1):
            commit(feed, 5)
            nursery.start_soon(feed.wait_for_room)
            await trio.testing.wait_all_tasks_blocked()
        assert feed.statistics() == ()

    virtual(main)


def test_closing_the_feed_ends_every_subscription_after_what_is_committed(feed):
    async def main():
        async with feed.subscribe() as subscription:
            commit(feed, 2)
            feed.close()
            assert [message.first async for message in subscription] == [0, 1]

    virtual(main)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"overflow": "wait"}, r"overflow must be exmc_actors.WAIT, DROP_OLDEST or LATEST, got 'wait'\."),
        ({"capacity": 0}, r"capacity must be an integer of at least 1, got 0: write, say, capacity=64."),
    ],
)
def test_a_subscription_that_cannot_be_is_refused_with_a_sentence(feed, options, sentence):
    async def main():
        with pytest.raises(ex.SettingsError, match=sentence):
            async with feed.subscribe(**options):
                pass

    virtual(main)


def test_a_slow_waiting_subscriber_slows_the_run_and_changes_no_bit(undisturbed):
    unread = []

    async def slow(subscribe):
        async with subscribe(overflow=WAIT, capacity=2, from_start=True) as subscription:
            async for _ in subscription:
                await trio.sleep(1)
                statistics = subscription.statistics()
                unread.append(slice(statistics.delivered, statistics.delivered + statistics.waiting))

    seen = virtual(lambda: observe(save_warmup=True, views=[slow], block_size=FixedBlocks((5,))))
    assert draws_of(seen.tree) == undisturbed
    assert seen.statistics.elapsed > 30
    # Blocks are what is held back: the capacity, and one that each chain had begun before.
    blocks = [sum(isinstance(m, DrawBlock) for m in seen.messages[part]) for part in unread]
    assert 2 <= max(blocks) <= 2 + 3


def test_a_slow_dropping_subscriber_slows_nothing(undisturbed):
    async def slow(subscribe):
        async with subscribe(overflow=DROP_OLDEST, capacity=2) as subscription:
            async for _ in subscription:
                await trio.sleep(1)

    seen = virtual(lambda: observe(save_warmup=True, views=[slow]))
    assert draws_of(seen.tree) == undisturbed
    assert seen.statistics.elapsed < 1
    assert seen.statistics.subscriptions[0].dropped > 0


def test_the_arrays_of_a_message_cannot_be_written_to():
    seen = virtual(lambda: observe())
    message = next(m for m in seen.messages if isinstance(m, DrawBlock))
    with pytest.raises(ValueError, match="read-only"):
        message.draws["theta"][0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        message.stats["lp"][0] = 1.0
    assert message.draws["theta"].shape == (len(message), 8)
    assert message.draws["theta"].dtype == np.float64


def test_the_latest_is_the_newest_message_and_holds_nobody_back(feed):
    async def main():
        async with feed.subscribe(overflow=ex.LATEST, capacity=50) as subscription:
            commit(feed, 9)
            assert not subscription.holds_back
            assert await read(subscription, 1) == [8]
            assert (subscription.statistics().waiting, subscription.statistics().dropped) == (0, 8)
            commit(feed, 1)
            assert await read(subscription, 1) == [9]

    virtual(main)


async def run_with_summaries(options=None, **settings):
    seen = []

    async def follow(run):
        async with run.subscribe_summaries(**(options or {})) as summaries:
            seen.extend([summary async for summary in summaries])

    chosen = SETTINGS | {"runner": inline, "block_size": FixedBlocks()} | settings
    async with open_run(schools(), **chosen) as run, trio.open_nursery() as nursery:
        nursery.start_soon(follow, run)
        tree = await run.result()
    return tree, seen


def test_the_last_summary_is_that_of_its_result_and_no_draw_changes(undisturbed):
    tree, seen = virtual(lambda: run_with_summaries(save_warmup=True))
    assert draws_of(tree) == undisturbed
    last, frame = seen[-1], ex.summary(tree)
    assert list(last.names) == list(frame.index)
    assert last.missed == 0
    assert last.draws.tolist() == [60, 60, 60]
    assert last.warmup.tolist() == [40, 40, 40]
    np.testing.assert_allclose(last.mean, frame["mean"], rtol=1e-10)
    np.testing.assert_allclose(last.sd, frame["sd"], rtol=1e-10)
    for column in ("q5", "q50", "q95"):
        np.testing.assert_allclose(getattr(last, column), frame[column], rtol=1e-10)
    assert last.divergences.sum() == int(tree.sample_stats["diverging"].sum())


def test_summaries_are_of_the_variables_and_chains_asked_for():
    _, seen = virtual(lambda: run_with_summaries({"var_names": ["tau", "mu"], "chains": [0, 2]}))
    assert seen[-1].names == ("tau", "mu")
    assert seen[-1].draws.tolist() == [60, 0, 60]


def test_who_asks_for_summaries_late_gets_all_from_the_start():
    async def main():
        async with open_run(schools(), **SETTINGS, runner=inline, block_size=FixedBlocks()) as run:
            await run.result()
            async with run.subscribe_summaries() as summaries:
                return [summary async for summary in summaries]

    (summary,) = virtual(main)
    assert summary.draws.tolist() == [60, 60, 60]
    assert summary.missed == 0
