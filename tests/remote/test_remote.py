"""A run elsewhere, seen over a real server: the same messages, once each, or an error with a name."""

import sys
from contextlib import asynccontextmanager

import pytest
import trio

import exmc_actors as ex
import exmc_actors.remote
from exmc_actors.messages import ChainRestarted, RunPaused, RunResumed
from exmc_actors.remote import answer, reading
from exmc_actors.remote.address import Address, address_of
from exmc_actors.remote.answer import asked
from exmc_actors.runtime import inline
from exmc_actors.runtime.feed import Feed
from exmc_actors.views.dashboard import app, connection
from exmc_actors.views.dashboard import feed as dashboard_feed
from exmc_actors.wire import FeedReader, Hello, Here, Told, framed_item
from tests.remote.conftest import Made, Proxy
from tests.views.dashboard.conftest import TOKEN, block, run, wait_until
from tests.wire.test_feed import same


def port_of(url):
    return address_of(url).port


def blocks(n, length=5):
    return [block(chain, first * length, length) for first in range(n) for chain in range(2)]


async def all_of(feed):
    return [message async for message in feed]


def assert_same(found, wanted):
    assert len(found) == len(wanted)
    assert all(same(one, other) for one, other in zip(found, wanted, strict=True))


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


@pytest.mark.parametrize(
    ("url", "token"),
    [
        (5, None),
        ("127.0.0.1:8000", None),
        ("ftp://127.0.0.1/", None),
        ("http://", None),
        ("http://host:99999/", None),
        ("http://host:0/", None),
        ("http://a..b/", None),
        (f"http://{'a' * 70}/", None),
        ("http://me:secret@host/", None),
        ("http://host/?from=3", None),
        ("http://host/a b", None),
        ("http://host/", 7),
        ("http://host/", "a\r\nX: b"),
    ],
)
def test_an_address_that_is_none_is_refused(url, token):
    with pytest.raises(ex.SettingsError, match=r"(url|token) must be"):
        address_of(url, token)


@pytest.mark.parametrize(
    "url", ["http://host:99999/#token=secret", "http://host/?a=1#token=secret", "http://host/?token=secret"]
)
def test_an_address_that_is_refused_is_told_without_its_token(url):
    with pytest.raises(ex.SettingsError, match="got 'http://host") as refused:
        address_of(url)
    assert "secret" not in str(refused.value)


def test_an_address_has_its_token_or_is_given_one():
    address = address_of("https://[::1]/lab#token=a%2Bb")
    assert (address.host, address.port, address.path, address.token) == ("::1", 443, "/lab/", "a+b")
    assert str(address) == "https://[::1]:443/lab/"
    assert address_of("http://host:81", "given").token == "given"
    assert "a+b" not in repr(address)


@pytest.mark.parametrize("patience", [0, -1.0, float("nan"), "long", True])
def test_patience_is_a_number_of_seconds(patience):
    async def main():
        with pytest.raises(ex.SettingsError, match="patience must be a positive number of seconds"):
            async with ex.connect("http://127.0.0.1:1/", patience=patience):
                pass

    run(main)


def test_without_the_token_or_by_a_wrong_name_there_is_nothing(monkeypatch):
    async def main():
        async with (made := Made()).served(token=TOKEN) as url:
            bare = url.partition("#")[0]
            for token in (None, "wrong-token-of-a-guest"):
                with pytest.raises(ex.RemoteRefused, match="refuses: a token is needed"):
                    async with ex.connect(bare, token):
                        pass
            async with ex.connect(bare, TOKEN) as remote:
                assert remote.identity == made.log.identity
        monkeypatch.setattr(Address, "headers", [("Host", "evil.example")])
        async with Made().served() as url:
            with pytest.raises(ex.RemoteRefused, match="refuses: this server is not known by that name"):
                async with ex.connect(url):
                    pass

    run(main)


def test_the_server_refuses_what_its_query_cannot_mean():
    async def main():
        async with Made().served() as url:
            port = port_of(url)
            for query in (
                b"from=-1",
                b"from=x",
                b"from=5",
                b"thin=0",
                b"chains=9",
                b"capacity=0",
                b"who=me",
                b"run=&from=9",
            ):
                async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
                    await stream.send_all(b"GET /feed?%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % query)
                    assert (await stream.receive_some()).startswith(b"HTTP/1.1 400"), query
            async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
                await stream.send_all(b"GET /feed?run=other HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert (await stream.receive_some()).startswith(b"HTTP/1.1 409")

    run(main)


def test_no_more_than_so_many_feeds_are_open_and_a_place_is_free_again(monkeypatch):
    monkeypatch.setattr(app, "MOST_FEEDS", 2)

    async def main():
        async with (made := Made()).served() as url, ex.connect(url) as remote:

            async def has(n):
                return len(made.feed.statistics()) == n

            await wait_until(lambda: has(1))  # the dashboard's own
            async with remote.subscribe(), remote.subscribe():
                with pytest.raises(ex.RemoteRefused, match="2 feeds are open already: close one"):
                    async with ex.connect(url, patience=0.1):
                        pass
            await wait_until(lambda: has(1))
            async with remote.subscribe():
                pass

    run(main)


@asynccontextmanager
async def answering(*answers):
    """Answer each connection with the bytes that come next, and from then on with the last ones."""
    left = list(answers)

    async def answer(stream):
        async with stream:
            await stream.receive_some()
            await stream.send_all(left.pop(0) if len(left) > 1 else left[0])

    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, answer, [listener])
        yield f"http://127.0.0.1:{listener.socket.getsockname()[1]}/"
        nursery.cancel_scope.cancel()


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "error", "sentence"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", ex.ConnectionLost, "nobody answers"),
        (b"", ex.ConnectionLost, "nobody answers"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nhi", ex.RemoteRefused, "is no dashboard"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n", ex.RemoteRefused, "HTTP status 404"),
        (b"HTTP/1.1 302 Found\r\nLocation: /else\r\n\r\n", ex.RemoteRefused, "is no dashboard"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", ex.RemoteRefused, "HTTP status 502"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, ex.ConnectionLost, "nobody answers"),
        (OK + b"no frames at all, but enough bytes", ex.UnreadableFeed, "no feed of a run"),
        (OK + framed_item(Told(0, 0, RunResumed())), ex.UnreadableFeed, "beginning"),
        (OK, ex.ConnectionLost, "closed the connection before"),
    ],
)
def test_who_answers_and_is_no_dashboard_is_told_apart(data, error, sentence):
    async def main():
        async with answering(data) as url:
            with pytest.raises(error, match=sentence):
                async with ex.connect(url, patience=0.1):
                    pass

    run(main)


def test_a_server_that_is_busy_for_a_moment_is_asked_again_who_is_there():
    async def main():
        busy = b"HTTP/1.1 429 No\r\nContent-Type: text/plain\r\n\r\ntoo many requests: wait a second."
        async with (
            answering(busy, busy, OK + framed_item(Hello("run", 0))) as url,
            ex.connect(url) as remote,
        ):
            assert remote.identity == "run"

    run(main)


def test_a_server_that_is_full_for_a_while_is_tried_again_and_not_for_ever():
    async def main():
        busy = b"HTTP/1.1 503 No\r\nContent-Type: text/plain\r\n\r\n32 feeds are open \x1b[2J already"
        async with (
            answering(OK + framed_item(Hello("run", 0))) as url,
            ex.connect(url, patience=0.3) as remote,
        ):
            pass
        async with answering(busy) as url:
            remote._address = address_of(url)
            with pytest.raises(ex.ConnectionLost, match=r"32 feeds are open  \[2J already"):
                async with remote.subscribe():
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


def test_a_run_that_rests_says_that_it_is_there(monkeypatch):
    monkeypatch.setattr(dashboard_feed, "HEARTBEAT", 0.02)

    async def main():
        async with Made().served() as url, asked(address_of(url), "feed") as feed:
            reader, items = FeedReader(), []
            while items.count(Here()) < 3:
                items += reader.take(await feed.part())

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


def test_without_h11_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "h11", None)
    monkeypatch.delitem(sys.modules, "exmc_actors.remote.answer")
    monkeypatch.delattr(ex.remote, "answer")

    async def main():
        with pytest.raises(ex.SettingsError, match=r"pip install 'exmc-actors\[dashboard\]'"):
            async with ex.connect("http://127.0.0.1:1/"):
                pass

    run(main)


def test_what_is_raised_within_is_raised_as_it_is():
    async def main():
        async with Made().served() as url:
            with pytest.raises(KeyError, match="mine"):
                async with ex.connect(url) as remote, remote.subscribe():
                    raise KeyError("mine")

    run(main)
