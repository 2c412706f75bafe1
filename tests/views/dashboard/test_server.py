"""A server listens where it may, holds so many connections, lets none cost another, and ends all at once."""

import socket

import pytest
import trio

from exmc_actors.errors import SettingsError
from exmc_actors.views.dashboard import app, connection, open_door, server
from tests.views.dashboard.clients import following, spoken, there_is_room
from tests.views.dashboard.conftest import TOKEN, block, run, served, wait_until


def test_no_more_than_so_many_connections_are_held(monkeypatch):
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 1)

    async def main():
        async with served() as (_, _, client), following(client) as stream:
            await stream.event()
            assert await spoken(client, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") == b""
            await stream.event()

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


def test_a_port_that_is_taken_is_refused_in_a_sentence():
    async def main():
        door = await open_door()
        port = door.listener.socket.getsockname()[1]
        with pytest.raises(SettingsError, match=f"cannot listen on '127.0.0.1', port {port}"):
            await open_door(port=port)
        await door.listener.aclose()
        for wrong in (-1, 65536, "80", True):
            with pytest.raises(SettingsError, match="port must be an integer"):
                await open_door(port=wrong)
        with pytest.raises(SettingsError, match="needs a token"):
            await open_door("0.0.0.0")

    run(main)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"names": [1]}, r"names must be a name, a list of names, or None, got \[1\]"),
        ({"names": 5}, r"write, say, names=\['lab\.example\.org'\]"),
        ({"host": None}, "host must be a str, an address or a name of this machine, got None"),
        ({"host": b"::1"}, "host must be a str"),
        ({"host": 80 * "x", "token": TOKEN}, "cannot listen on 'x+', port 0 .*: give another host or port"),
        ({"host": "ä b", "token": TOKEN}, "cannot listen on 'ä b'"),
    ],
)
def test_what_is_no_host_and_no_name_is_refused_in_a_sentence(given, sentence):
    with pytest.raises(SettingsError, match=sentence):
        run(lambda: open_door(**given))


@pytest.mark.parametrize("names", ["Lab.Example", ["Lab.Example"]])
def test_one_name_more_may_stand_by_itself(names):
    async def main():
        door = await open_door("LOCALHOST", names=names)
        await door.listener.aclose()
        return door

    door = run(main)
    assert door.url.startswith("http://localhost:")
    assert door.gate.page({"host": "lab.example"}) is door.gate.page({"host": "localhost"}) is None
    assert door.gate.page({"host": "l"}).status == 421


def test_no_name_more_may_be_none():
    async def main():
        door = await open_door(names=None)
        await door.listener.aclose()
        return door.gate.names

    assert run(main) == {"127.0.0.1"}


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
