"""What is too long, too slow or no request at all ends its connection, and no other."""

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from exmc_actors.views.dashboard import asgi, connection
from tests.views.dashboard.clients import spoken
from tests.views.dashboard.conftest import TOKEN, Hand, run, served


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
