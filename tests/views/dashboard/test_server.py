"""The dashboard over HTTP: a real server on loopback, and a run made by hand."""

import hashlib
import json
import socket
from contextlib import asynccontextmanager
from importlib.resources import files

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from exmc_actors.errors import SettingsError, StoreError
from exmc_actors.messages import ChainRestarted
from exmc_actors.views.dashboard import app, asgi, connection, open_door, server
from exmc_actors.views.dashboard.gate import Bucket
from tests.views.dashboard.conftest import TOKEN, Feed, Hand, Page, block, run, served, wait_until

# dist/uPlot.iife.min.js and dist/uPlot.min.css of uPlot 1.6.32, as npm has it.
VENDORED = {
    "uplot.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uplot.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}


class Stream:
    """Server-sent events as they come."""

    def __init__(self, stream):
        self._stream = stream
        self._read = b""

    async def part(self):
        """Return what comes before the next empty line."""
        while b"\n\n" not in self._read:
            more = await self._stream.receive_some()
            if not more:
                raise EOFError
            self._read += more.replace(b"\r\n", b"\n")
        part, _, self._read = self._read.partition(b"\n\n")
        return part.decode()

    async def event(self):
        """Return the next event that is no comment: its id and its data."""
        fields = dict(line.split(": ", 1) for line in (await self.part()).split("\n") if line[0] != ":")
        return (fields.get("id"), json.loads(fields["data"])) if "data" in fields else await self.event()

    async def until(self, is_it):
        while True:
            id, data = await self.event()
            if "sequence" in data and is_it(data):
                return id, data

    async def page(self, sequence, page=None):
        """Return what a page knows that has been told up to a sequence number, in however many frames."""
        page = page or Page()
        while True:
            _, data = await self.event()
            if "sequence" in data:
                page.accept(data)
                if data["sequence"] == sequence:
                    return page


@asynccontextmanager
async def following(client, query="", last_id=""):
    # By hand and without chunks: httpx leaves generators behind, of which trio warns.
    head = f"GET /events?{query} HTTP/1.0\r\nHost: localhost\r\nLast-Event-ID: {last_id}\r\n\r\n"
    async with await trio.open_tcp_stream("127.0.0.1", client.base_url.port) as connected:
        await connected.send_all(head.encode("latin-1"))
        stream = Stream(connected)
        answer = await stream.part()
        assert answer.startswith("HTTP/1.1 200")
        assert "content-type: text/event-stream; charset=utf-8" in answer.lower()
        yield stream


def test_the_page_and_its_files_are_served_with_headers_that_guard_them():
    async def main():
        async with served() as (_, _, client):
            for path in app._FILES:
                answer = await client.get(path)
                assert answer.status_code == 200
                policy = answer.headers["content-security-policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert answer.headers["referrer-policy"] == "no-referrer"
            page = (await client.get("/")).text
            assert "http://" not in page
            assert "https://" not in page  # nothing is asked of anybody else
            assert "style=" not in page

    run(main)


@pytest.mark.parametrize("name", VENDORED)
def test_what_is_vendored_is_what_was_published(name):
    data = (files("exmc_actors.views.dashboard") / "page" / name).read_bytes()
    assert hashlib.sha256(data).hexdigest() == VENDORED[name]


def test_a_page_is_told_what_happens_as_it_happens():
    async def main():
        async with served() as (say, _, client), following(client) as stream:
            _, hello = await stream.event()
            assert hello == {"control": False}
            await say(block(0, 0, 40), block(1, 0, 10))
            page = await stream.page(2)
            assert [trace["draws"] for trace in page.traces] == [list(range(40)), list(range(10))]
            await say(ChainRestarted(1, "sample", 10, 1, "killed"))
            _, frame = await stream.until(lambda data: data["sequence"] == 3)
            assert not frame["fresh"]
            assert frame["shown"] == ["mu", "<script>[0]"]
            assert [event["kind"] for event in frame["events"]] == ["restart"]
            assert frame["traces"][0]["draws"] == []
            await say(block(1, 10, 500))
            _, frame = await stream.until(lambda data: data.get("estimates"))
            assert frame["estimates"]["table"]["total"] == 3

    run(main)


def test_a_page_that_comes_back_hears_what_it_missed_and_only_that():
    async def main():
        async with served() as (say, _, client):
            await say(block(0, 0, 40))
            async with following(client, "show=mu") as stream:
                id, _ = await stream.until(lambda data: data["sequence"] == 1)
            await say(block(0, 40, 10), ChainRestarted(0, "sample", 50, 1, "killed"))
            async with following(client, "show=mu", id) as stream:
                page = await stream.page(3)
                assert page.traces[0]["draws"] == list(range(40, 50))
                assert len(page.events) == 1

    run(main)


@pytest.mark.parametrize(
    "id", ["", "nobody", "00000000.1", "{epoch}.999", "{epoch}.-1", "{epoch}.1.1", "{epoch}.\xb2"]
)
def test_a_page_that_was_never_here_gets_all_there_is(id):
    async def main():
        async with served() as (say, board, client):
            await say(block(0, 0, 40))
            async with following(client, last_id=id.format(epoch=board.epoch)) as stream:
                _, frame = await stream.until(lambda data: data["sequence"] == 1)
                assert frame["traces"][0]["draws"] == list(range(40))

    run(main)


def test_a_block_that_a_store_has_lost_is_left_out_and_counted():
    lost = [StoreError("bytes have changed")]

    class Holey(Feed):
        @asynccontextmanager
        async def subscribe(self, **_):
            async with super().subscribe() as messages:
                yield Holes(messages)

    class Holes:
        def __init__(self, messages):
            self._messages = messages

        def __aiter__(self):
            return self

        async def __anext__(self):
            message = await anext(self._messages)
            if message.first == 100:
                raise lost.pop()
            return message

    async def main():
        async with served(feed=Holey()) as (say, _, client), following(client) as stream:
            await say(block(0, 0, 100), block(0, 100, 100), block(0, 200, 300))
            # Estimates may be older than the frame that they come in.
            _, frame = await stream.until(lambda data: data.get("estimates") and data["estimates"]["missed"])
            assert frame["estimates"]["missed"] == 100
            assert frame["chains"][0]["done"] == 500

    run(main)


def test_only_what_a_page_shows_is_sent():
    async def main():
        async with served() as (say, _, client):
            await say(block(0, 0, 10, shape=(1000,)))
            async with following(client, "show=%3Cscript%3E%5B999%5D&search=99&size=5") as stream:
                _, frame = await stream.until(lambda data: data["sequence"] == 1)
                assert frame["shown"] == ["<script>[999]"]
                assert len(frame["traces"][0]["values"]) == 1
                await say(block(0, 10, 500, shape=(1000,)), block(1, 0, 500, shape=(1000,)))
                _, frame = await stream.until(lambda data: data.get("estimates"))
                assert len(frame["estimates"]["table"]["names"]) == 5
                assert frame["estimates"]["table"]["matching"] == 19
                assert len(json.dumps(frame)) < 60_000

    run(main)


def test_the_end_of_a_run_is_told_and_the_page_stays():
    async def main():
        async with served() as (say, _, client), following(client) as stream:
            await say(block(0, 0, 500))
            say.say.close()
            _, frame = await stream.until(lambda data: data["over"])
            assert frame["events"][-1]["kind"] == "end"
            async with following(client) as late:
                _, again = await late.until(lambda data: data["over"])
                assert again["estimates"]["table"]["total"] == 3

    run(main)


def test_without_the_token_there_is_nothing_but_an_empty_page():
    async def main():
        async with served(token=TOKEN, control=(hand := Hand())) as (_, _, client):
            for bearer in ("", "Bearer wrong-token-of-a-guest", f"Basic {TOKEN}", TOKEN):
                for method, path in (("GET", "/events"), ("POST", "/control/pause")):
                    answer = await client.request(method, path, headers={"Authorization": bearer})
                    assert answer.status_code == 401
                    assert answer.text == "a token is needed: open the whole address that the server told."
            assert (await client.get("/", headers={"Authorization": ""})).status_code == 200
            assert hand.did == []

    run(main)


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("Host", "evil.example", 421),
        ("Origin", "http://evil.example", 403),
        ("Origin", "null", 403),
        ("Sec-Fetch-Site", "cross-site", 403),
    ],
)
def test_other_sites_get_nothing_even_with_the_token(header, value, status):
    async def main():
        async with served(token=TOKEN, control=(hand := Hand())) as (_, _, client):
            for method, path in (("GET", "/events"), ("POST", "/control/abort")):
                answer = await client.request(method, path, headers={header: value})
                assert answer.status_code == status
                assert "access-control-allow-origin" not in answer.headers
            assert hand.did == []

    run(main)


def test_control_takes_the_token_a_post_and_a_run_that_allows_it():
    async def main():
        async with served(token=TOKEN, control=(hand := Hand())) as (_, _, client):
            for name in ("pause", "resume", "kill/1", "abort"):
                assert (await client.get(f"/control/{name}")).status_code == 405
                assert (await client.post(f"/control/{name}")).status_code == 200
            assert hand.did == ["pause", "resume", "kill 1", "abort"]
            for name in ("kill/2", "kill/-1", "kill/x", "kill/99999999999", "explode", "", "pause/now"):
                assert (await client.post(f"/control/{name}")).status_code == 404
        async with served(token=TOKEN) as (_, _, client):
            answer = await client.post("/control/pause")
            assert answer.status_code == 403
            assert "control=True" in answer.text
        async with served(control=(free := Hand())) as (_, _, client):  # no token, no control
            assert (await client.post("/control/pause")).status_code == 403
            assert free.did == []

    run(main)


def test_methods_and_paths_that_mean_nothing_are_refused():
    async def main():
        async with served() as (_, _, client):
            for method in ("POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"):
                for path in ("/", "/events"):
                    assert (await client.request(method, path)).status_code == 405
            for path in ("/nothing", "/page/app.js", "/%2e%2e/app.js", "/events/", "/app.py"):
                assert (await client.get(path)).status_code == 404
            assert (await client.get("/events?page=x")).text == "page is an integer from 0 to 1000000."

    run(main)


def test_no_more_than_so_many_pages_are_served(monkeypatch):
    monkeypatch.setattr(app, "MOST_STREAMS", 2)

    async def main():
        async with served() as (_, _, client), following(client) as one, following(client):
            await one.event()
            answer = await client.get("/events")
            assert (answer.status_code, answer.text) == (503, "2 pages are open already: close one.")
            assert (await client.get("/")).status_code == 200

    run(main)


def test_no_more_than_so_many_connections_are_held(monkeypatch):
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 1)

    async def main():
        async with served() as (_, _, client), following(client) as stream:
            await stream.event()
            assert await spoken(client, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") == b""
            await stream.event()

    run(main)


def test_a_place_is_free_again_when_a_page_is_closed(monkeypatch):
    monkeypatch.setattr(app, "MOST_STREAMS", 1)

    async def main():
        async with served() as (_, _, client):
            for _ in range(3):
                async with following(client) as stream:
                    await stream.event()
                await there_is_room(client)

    run(main)


def test_too_many_requests_are_refused_for_a_while(monkeypatch):
    monkeypatch.setattr(app, "Bucket", lambda rate, most: Bucket(rate=0.0, most=3))  # that no clock fills

    async def main():
        async with served(token=TOKEN, control=(hand := Hand())) as (_, _, client):
            statuses = [(await client.post("/control/pause")).status_code for _ in range(5)]
            assert statuses == [200, 200, 200, 429, 429]
            assert len(hand.did) == 3
        async with served(token=TOKEN) as (_, _, client):
            client.headers["Authorization"] = "Bearer guess"
            assert [(await client.get("/events")).status_code for _ in range(4)] == [401, 401, 401, 429]

    run(main)


def test_nobody_uses_up_the_requests_of_those_who_have_the_token(monkeypatch):
    monkeypatch.setattr(app, "Bucket", lambda rate, most: Bucket(rate=0.0, most=3))  # that no clock fills

    async def main():
        async with served(token=TOKEN, control=Hand()) as (_, _, client):
            stranger = {"Host": "evil.example", "Authorization": ""}
            for path in ("/", "/nothing", "/events"):
                statuses = [(await client.get(path, headers=stranger)).status_code for _ in range(5)]
                assert statuses[-1] == 429
            visits = [(await client.get("/", headers={"Authorization": ""})).status_code for _ in range(5)]
            assert visits == [200, 200, 200, 429, 429]
            assert (await client.post("/control/pause")).status_code == 200

    run(main)


async def spoken(client, data, *, most=10_000):
    """Send bytes as they are and return the answer, up to its end."""
    stream = await trio.open_tcp_stream("127.0.0.1", client.base_url.port)
    async with stream:
        with trio.move_on_after(5):
            try:
                await stream.send_all(data)
                answer = b""
                while len(answer) < most and (more := await stream.receive_some()):
                    answer += more
                return answer
            except trio.BrokenResourceError:
                return b""
        return b"open"


def test_a_body_that_is_too_long_is_refused_before_it_is_all_there():
    async def main():
        async with served(token=TOKEN, control=(hand := Hand())) as (_, _, client):
            head = b"POST /control/pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"
            assert (await spoken(client, head + b"x" * 8192)).startswith(b"HTTP/1.1 413")
            chunks = b"POST /events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            assert (await spoken(client, chunks + b"1800\r\n" + b"x" * 6144 + b"\r\n")).startswith(
                b"HTTP/1.1 413"
            )
            assert hand.did == []
            assert (await client.get("/")).status_code == 200

    run(main)


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        (b"Content-Length: 9999\r\n\r\n" + b"x" * 9999, b"413"),
        (b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", b"400"),
    ],
)
def test_a_head_that_is_refused_for_its_body_is_answered_without_one(rest, status):
    async def main():
        async with served() as (_, _, client):
            answer = await spoken(client, b"HEAD / HTTP/1.1\r\nHost: localhost\r\n" + rest)
            assert answer == b"" or (
                answer.startswith(b"HTTP/1.1 " + status) and answer.endswith(b"\r\n\r\n")
            )
            assert (await client.get("/")).status_code == 200

    run(main)


def test_what_is_no_request_is_told_so_whatever_was_asked_before():
    async def app(scope, receive, send):
        await asgi.answer(send, 200, b"here", "text/plain")

    async def main():
        client, stream = trio.testing.memory_stream_pair()
        await client.send_all(b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\nnonsense\r\n\r\n")
        await connection.Connection(stream, app).run()
        answer = await client.receive_some()
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(b"this is no request that can be read.")

    run(main)


def test_a_connection_that_fails_is_logged_and_costs_no_other(monkeypatch, caplog):
    async def fail(self):
        raise RuntimeError("boom")

    async def main():
        async with served() as (_, _, client), following(client) as stream:
            await stream.event()
            with monkeypatch.context() as patched:
                patched.setattr(connection.Connection, "_answer_one", fail)
                assert await spoken(client, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") == b""
            await stream.event()
            assert (await client.get("/")).status_code == 200

    run(main)
    assert "a connection broke off" in caplog.text


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03",  # TLS
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",  # no Host
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET /" + b"a" * 20_000,
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 50_000,
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"\r\n\r\n\r\n\r\nno",
    ],
)
def test_what_is_no_request_ends_its_connection_and_no_other(data):
    async def main():
        async with served() as (_, _, client):
            answer = await spoken(client, data + b"\r\n\r\n")
            assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5"))
            assert (await client.get("/")).status_code == 200

    run(main)


def test_requests_that_are_sent_ahead_take_no_more_room_however_many_they_are():
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

    async def main():
        held = []

        async def app(scope, receive, send):
            await trio.testing.wait_all_tasks_blocked()
            await asgi.answer(send, 200, b"", "text/plain")
            held.append(len(talk._http.trailing_data[0]))

        client, stream = trio.testing.memory_stream_pair()
        talk = connection.Connection(stream, app)
        await client.send_all(100 * request * (connection._RECEIVE // len(request)))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(talk.run)
            while len(held) < 50:
                await client.receive_some()
            nursery.cancel_scope.cancel()
        assert max(held) <= 2 * connection._RECEIVE

    run(main)


def test_a_refusal_is_the_last_answer_of_its_connection():
    async def main():
        async with served() as (_, _, client):
            answer = await spoken(client, 3 * b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert answer.count(b"HTTP/1.1 404") == 1
            assert b"connection: close" in answer.lower()

    run(main)


def test_a_client_that_says_nothing_is_cut_off(monkeypatch):
    monkeypatch.setattr(connection, "READ_SECONDS", 0.05)

    async def main():
        async with served() as (_, _, client):
            assert await spoken(client, b"") == b""
            assert await spoken(client, b"GET / HTTP/1.1\r\nHost: loc") == b""

    run(main)


def stalled(client):
    """Open a stream and never read it, into as little room as can be had."""
    mine = socket.socket()
    mine.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    mine.connect(("127.0.0.1", client.base_url.port))
    mine.send(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return mine


async def much(say, board, n):
    """Say so much that no socket holds it."""
    for first in range(0, 400 * n, 400):
        await say(block(0, first, 400), block(1, first, 400))
        await trio.sleep(0.01)

    async def is_taken_in():
        return board.picture.sequence == 2 * n

    await wait_until(is_taken_in)


async def there_is_room(client):
    async def is_free():
        async with await trio.open_tcp_stream("127.0.0.1", client.base_url.port) as stream:
            await stream.send_all(b"GET /events HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return b"200 " in await stream.receive_some()

    await wait_until(is_free)


def test_a_client_that_does_not_read_is_cut_off_and_holds_up_nobody(monkeypatch):
    monkeypatch.setattr(connection, "WRITE_SECONDS", 0.1)
    monkeypatch.setattr(app, "MOST_STREAMS", 1)

    async def main():
        async with served(draws=10**6) as (say, board, client):
            with stalled(client):
                monkeypatch.setattr(board, "frame", heavy(board.frame))
                await much(say, board, 20)
                await there_is_room(client)
                async with following(client) as stream:  # there is room again
                    await stream.event()

    run(main)


def heavy(frame):
    """Return frames that are too long for any socket."""

    async def padded(*args):
        made = await frame(*args)
        made.text = made.text[:-1] + ',"padding":"' + "x" * 8_000_000 + '"}'
        return made

    return padded


def test_closing_ends_every_connection_at_once_also_of_those_who_do_not_read():
    async def main():
        async with served(draws=10**6) as (say, board, client), following(client) as stream:
            board.frame = heavy(board.frame)
            lazy = [stalled(client) for _ in range(5)]
            await much(say, board, 5)
            await stream.event()
            began = trio.current_time()
        assert trio.current_time() - began < 2.0
        for one in lazy:
            one.close()

    run(main)


def test_a_failing_answer_is_logged_and_costs_one_request(monkeypatch, caplog):
    async def fail(*args):
        raise RuntimeError("boom")

    monkeypatch.setattr(app, "stream", fail)

    async def main():
        async with served() as (_, _, client):
            answer = await client.get("/events")
            assert answer.status_code == 500
            assert "boom" not in answer.text
            assert (await client.get("/")).status_code == 200

    run(main)
    assert "could not be answered" in caplog.text


HEADER_TEXT = st.text(
    st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60
)


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["GET", "POST", "HEAD", "PUT", "BREW"]),
            st.sampled_from(["/", "/events", "/control/pause", "/control/kill/", "/%00", "/\x7f"]),
            st.binary(max_size=40).map(lambda raw: "".join(f"%{byte:02x}" for byte in raw)),
            st.dictionaries(
                st.sampled_from(["Host", "Origin", "Authorization", "Last-Event-ID", "Accept"]), HEADER_TEXT
            ),
            st.binary(max_size=100),
        ),
        min_size=5,
        max_size=15,
    )
)
def test_no_request_whatever_makes_the_server_fail(requests):
    async def main():
        async with served(token=TOKEN, control=Hand()) as (_, _, client):
            for method, path, query, headers, body in requests:
                host = {"Host": "localhost"} | headers
                lines = "".join(f"{name}: {value.strip()}\r\n" for name, value in host.items())
                head = f"{method} {path}?show={query} HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n"
                data = head.encode("latin-1") + b"Connection: close\r\n\r\n" + body
                answer = await spoken(client, data, most=1)
                assert answer == b"" or answer[:1] == b"H"
                assert b"500 " not in answer[:20]
            assert (await client.get("/")).status_code == 200

    run(main)


def test_a_port_that_is_taken_is_refused_in_a_sentence():
    async def main():
        door = await open_door()
        port = door.listener.socket.getsockname()[1]
        with pytest.raises(SettingsError, match=f"cannot listen on 127.0.0.1, port {port}"):
            await open_door(port=port)
        await door.listener.aclose()
        for wrong in (-1, 65536, "80", True):
            with pytest.raises(SettingsError, match="port must be an integer"):
                await open_door(port=wrong)
        with pytest.raises(SettingsError, match="needs a token"):
            await open_door("0.0.0.0")

    run(main)


def test_the_address_of_a_server_for_others_has_a_name_and_the_token():
    async def main():
        door = await open_door("0.0.0.0", token=TOKEN)
        name = socket.gethostname().lower()
        assert door.url.startswith(f"http://{name}:")
        assert door.url.endswith(f"/#token={TOKEN}")
        bearer = {"authorization": f"Bearer {TOKEN}"}
        assert door.gate.data({"host": f"{name}:1", **bearer}) is None
        await door.listener.aclose()

    run(main)
