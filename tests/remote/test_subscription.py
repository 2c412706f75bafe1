"""A run elsewhere, seen over a real server: the messages that were chosen, the same ones, once each."""

import pytest
import trio

import exmc_actors as ex
from exmc_actors.messages import ChainRestarted, RunPaused, RunResumed
from exmc_actors.runtime import inline
from exmc_actors.runtime.feed import Feed
from exmc_actors.views.dashboard import connection
from tests.remote.conftest import Made
from tests.remote.followed import all_of, assert_same, blocks
from tests.views.dashboard.conftest import TOKEN, block, run, wait_until
from tests.wire.test_feed import same


def test_the_messages_are_those_of_the_run_bit_for_bit_and_end_with_it():
    async def main():
        made = Made()
        said = [
            *blocks(20),
            ChainRestarted(1, "sample", 100, 1, "killed"),
            RunPaused("asked to"),
            RunResumed(),
        ]
        made.say(*said[:7])
        async with (
            made.served(token=TOKEN) as url,
            ex.connect(url) as remote,
            remote.subscribe(overflow=ex.WAIT, capacity=3, from_start=True) as feed,
            remote.subscribe(overflow=ex.WAIT) as late,
        ):
            made.say(*said[7:])
            made.feed.close()
            assert_same(await all_of(feed), said)
            assert_same(await all_of(late), said[7:])
            assert feed.statistics() == ex.SubscriptionStatistics(ex.WAIT, 3, 0, len(said), 0)

    run(main)


def test_a_choice_of_chains_variables_and_draws_is_the_one_that_a_local_subscriber_gets():
    async def main():
        made = Made()
        made.say(*blocks(20), RunPaused("asked to"))
        choices = [
            {"chains": 1, "var_names": "<script>", "thin": 7},
            {"chains": (0, 1), "var_names": ("mu",)},
            {"chains": (), "thin": 3},
            {"var_names": ()},
        ]
        async with made.served() as url, ex.connect(url) as remote:
            made.feed.close()
            for choice in choices:
                options = {"overflow": ex.WAIT, "from_start": True} | choice
                async with made.feed.subscribe(**options) as here, remote.subscribe(**options) as there:
                    assert_same(await all_of(there), await all_of(here))

    run(main)


def test_a_reader_that_stalls_holds_nobody_back_and_is_told_what_it_missed(monkeypatch):
    monkeypatch.setattr(connection, "WRITE_SECONDS", 0.1)

    async def main():
        made, said = (
            Made(),
            [block(0, 5000 * n, 5000) for n in range(40)],
        )  # some 20 MB, which no socket holds
        async with (
            made.served() as url,
            ex.connect(url) as remote,
            remote.subscribe(overflow=ex.WAIT, capacity=2, from_start=True) as slow,
            remote.subscribe(overflow=ex.LATEST, from_start=True) as newest,
        ):
            made.say(*said)
            with trio.fail_after(5):
                await made.feed.wait_for_room()

            async def is_cut_off():
                return len(made.feed.statistics()) == 2  # the dashboard's own, and the newest's

            await wait_until(is_cut_off)
            assert slow.statistics().waiting == 2
            made.feed.close()
            assert_same(await all_of(slow), said)  # it comes back by itself
            *_, last = await all_of(newest)
            assert same(last, said[-1])
            kept = newest.statistics()
            assert kept.delivered + kept.dropped == len(said)

    run(main)


def test_a_reader_far_behind_skips_on_the_server_what_it_would_not_read():
    async def main():
        made, said = Made(), blocks(50)
        made.say(*said)
        made.feed.close()
        async with (
            made.served() as url,
            ex.connect(url) as remote,
            remote.subscribe(capacity=10, from_start=True) as feed,
        ):
            assert_same(await all_of(feed), said[-10:])
            assert feed.statistics().dropped == 90

    run(main)


def test_a_message_that_the_store_has_lost_is_an_error_of_its_own_and_the_next_one_comes():
    async def main():
        made = Made()
        made.say(block(0, 0, 5), block(0, 5, 5), block(0, 10, 5))
        in_memory = made.log.messages.in_memory

        def lost(at):
            raise ex.StoreError("bytes have changed")

        made.log.messages.in_memory = lambda at: None if at == 1 else in_memory(at)
        made.log.messages.__getitem__ = lost
        async with (
            made.served() as url,
            ex.connect(url) as remote,
            remote.subscribe(overflow=ex.WAIT, from_start=True) as feed,
        ):
            assert (await anext(feed)).first == 0
            with pytest.raises(ex.StoreError, match="bytes have changed"):
                await anext(feed)
            assert (await anext(feed)).first == 10

    run(main)


def test_hundreds_of_variables_and_chains_can_be_named():
    async def main():
        names = [f"coefficient_{number}" for number in range(300)]
        made = Made(chains=200)
        made.feed = Feed(made.log, names, inline)
        made.feed.close()
        async with (
            made.served() as url,
            ex.connect(url) as remote,
            remote.subscribe(var_names=names, chains=range(200)) as feed,
        ):
            assert await all_of(feed) == []

    run(main)


def test_what_the_run_does_not_have_is_refused_when_it_is_asked_for():
    async def main():
        async with Made().served() as url, ex.connect(url) as remote:
            for options, sentence in [
                ({"chains": 2}, "this run has no chain 2"),
                ({"var_names": "nu"}, "there is no 'nu' in this run"),
                ({"thin": 0}, "thin must be a positive integer"),
                ({"capacity": 0}, "capacity must be a positive integer"),
                ({"overflow": "wait"}, "overflow must be"),
                ({"chains": -1}, "chains must be numbers from 0 on"),
                ({"var_names": ["x" * 13_000]}, "must fit into a query of 12288 characters, got 130"),
            ]:
                with pytest.raises(ex.SettingsError, match=sentence):
                    async with remote.subscribe(**options):
                        pass

    run(main)
