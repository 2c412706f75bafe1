"""A dashboard answers, refuses in a sentence, or is busy for a while; who is none is told apart."""

from contextlib import asynccontextmanager

import pytest
import trio

import exmc_actors as ex
from exmc_actors.messages import RunResumed
from exmc_actors.remote.address import address_of
from exmc_actors.remote.answer import asked
from exmc_actors.views.dashboard import app
from exmc_actors.views.dashboard import feed as dashboard_feed
from exmc_actors.wire import FeedReader, Hello, Here, Told, framed_item
from tests.remote.conftest import Made
from tests.remote.followed import port_of
from tests.views.dashboard.conftest import run, wait_until


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


def test_a_run_that_rests_says_that_it_is_there(monkeypatch):
    monkeypatch.setattr(dashboard_feed, "HEARTBEAT", 0.02)

    async def main():
        async with Made().served() as url, asked(address_of(url), "feed") as feed:
            reader, items = FeedReader(), []
            while items.count(Here()) < 3:
                items += reader.take(await feed.part())

    run(main)
