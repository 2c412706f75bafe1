"""What clients do over HTTP: follow a page's events, send bytes as they are, ask whether there is room."""

import json
from contextlib import asynccontextmanager

import trio

from tests.views.dashboard.conftest import Page, wait_until


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


async def there_is_room(client):
    async def is_free():
        async with await trio.open_tcp_stream("127.0.0.1", client.base_url.port) as stream:
            await stream.send_all(b"GET /events HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return b"200 " in await stream.receive_some()

    await wait_until(is_free)
