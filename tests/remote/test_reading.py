"""A feed is read on over as many connections as it takes; who is gone for long, or another run, is told."""

import pytest
import trio

import exmc_actors as ex
from exmc_actors.remote import answer, reading
from exmc_actors.views.dashboard import feed as dashboard_feed
from exmc_actors.wire import FeedReader
from tests.remote.conftest import Made, Proxy
from tests.remote.followed import all_of, assert_same, blocks, port_of
from tests.views.dashboard.conftest import TOKEN, block, run, wait_until


@pytest.mark.parametrize("options", [{}, {"chains": 1, "thin": 3}])
def test_connections_that_break_anywhere_cost_no_message_and_repeat_none(options):
    async def main():
        made, said = Made(), blocks(60)
        made.say(*said[:30])
        wish = {"overflow": ex.WAIT, "from_start": True} | options
        async with (
            made.served() as url,
            Proxy(port_of(url), cuts=[None, 0, 300, 2000, 2001, 9000, 40_000]) as proxy,
            ex.connect(proxy.url) as remote,
            remote.subscribe(**wish) as feed,
        ):
            found = [await anext(feed) for _ in range(3)]
            made.say(*said[30:])
            found += [await anext(feed) for _ in range(20)]
            proxy.cut()
            made.feed.close()
            found += await all_of(feed)
            async with made.feed.subscribe(**wish) as here:
                assert_same(found, await all_of(here))
            assert proxy.connections >= 6

    run(main)


def test_a_dashboard_that_is_closed_and_opened_again_is_found_again():
    async def main():
        made, said = Made(), blocks(10)
        async with trio.open_nursery() as nursery:
            url, end = await nursery.start(made.serve, {"token": TOKEN})
            async with ex.connect(url) as remote, remote.subscribe(overflow=ex.WAIT) as feed:
                made.say(*said[:5])
                found = [await anext(feed) for _ in range(5)]
                await end()
                made.say(*said[5:])
                made.feed.close()
                _, end = await nursery.start(made.serve, {"token": TOKEN, "port": port_of(url)})
                found += await all_of(feed)
            await end()
        assert_same(found, said)

    run(main)


def test_another_run_at_the_same_address_is_refused():
    async def main():
        made, other = Made(), Made()
        async with trio.open_nursery() as nursery:
            url, end = await nursery.start(made.serve, {})
            async with ex.connect(url) as remote, remote.subscribe(overflow=ex.WAIT) as feed:
                made.say(block(0, 0, 5))
                await anext(feed)
                await end()
                _, end = await nursery.start(other.serve, {"port": port_of(url)})
                other.say(*blocks(5))
                for _ in range(2):  # it does not turn into an end
                    with pytest.raises(ex.RemoteRefused, match="another run than before: connect to it anew"):
                        await anext(feed)
                with pytest.raises(ex.RemoteRefused, match="another run"):
                    async with remote.subscribe():
                        pass
            await end()

    run(main)


def test_a_server_that_is_gone_is_waited_for_as_long_as_was_said():
    async def main():
        made = Made()
        async with trio.open_nursery() as nursery:
            url, end = await nursery.start(made.serve, {"token": TOKEN})
            async with (
                ex.connect(url, patience=0.2) as remote,
                remote.subscribe(overflow=ex.WAIT, from_start=True) as feed,
            ):
                made.say(block(0, 0, 5), block(1, 0, 5))
                await anext(feed)

                async def has_read():
                    return feed.statistics().waiting == 1

                await wait_until(has_read)
                await end()
                assert (await anext(feed)).chain == 1  # what was read is not lost
                with pytest.raises(ex.ConnectionLost, match=r"for 0\.2 s .*patience=") as caught:
                    await anext(feed)
                assert TOKEN not in str(caught.value)
            with pytest.raises(ex.ConnectionLost, match="nobody answers at http://127"):
                async with ex.connect(url):
                    pass

    run(main)


def test_silence_is_no_connection(monkeypatch):
    monkeypatch.setattr(dashboard_feed, "HEARTBEAT", 60.0)
    monkeypatch.setattr(answer, "SILENCE_SECONDS", 0.1)

    async def main():
        async with (
            (made := Made()).served() as url,
            Proxy(port_of(url)) as proxy,
            ex.connect(proxy.url) as remote,
            remote.subscribe(overflow=ex.WAIT) as feed,
        ):

            async def has_come_back():
                return proxy.connections >= 4

            await wait_until(has_come_back)
            made.say(block(0, 0, 5))
            assert (await anext(feed)).first == 0

    run(main)


def test_a_reader_that_breaks_is_begun_again_and_has_lost_nothing(monkeypatch):
    class Breaking(FeedReader):
        parts = 0

        def take(self, part):
            Breaking.parts += 1
            if Breaking.parts in (2, 4):
                raise RuntimeError("boom")
            return super().take(part)

    monkeypatch.setattr(reading, "FeedReader", Breaking)

    async def main():
        made, said = Made(), blocks(10)
        async with (
            made.served() as url,
            ex.connect(url) as remote,
            remote.subscribe(overflow=ex.WAIT, from_start=True) as feed,
        ):
            found = []
            for message in said:
                made.say(message)
                found.append(await anext(feed))
            made.feed.close()
            assert_same(found + await all_of(feed), said)
            assert Breaking.parts > 4

    run(main)
