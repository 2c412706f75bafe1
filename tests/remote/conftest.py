"""Runs made by hand, in a real log behind a real server, and a proxy that cuts connections."""

from contextlib import asynccontextmanager
from functools import partial

import trio

import supervision as sv
from exmc_actors.messages import RunStatistics
from exmc_actors.runtime import Log, inline
from exmc_actors.runtime.feed import Feed
from exmc_actors.runtime.settings import check
from exmc_actors.views.dashboard import Board, Feeds, Live, Picture, open_door, serve

NAMES = ("mu", "<script>")


class Made:
    """A run that says what it is told to say."""

    def __init__(self, chains=2):
        self.log = Log(check(draws=10**6, chains=chains, random_seed=1))
        self.feed = Feed(self.log, NAMES, inline)

    def say(self, *messages):
        for message in messages:
            self.log.messages.append(message)
        self.feed.wake()

    def statistics(self):
        return RunStatistics((), self.feed.statistics(), 1.0)

    async def serve(self, where, *, task_status):
        """Serve it until cancelled; tell the address, and how to end it."""
        board = Board(Picture(chains=2, draws=10**6, tune=0))
        door = await open_door(**where)
        live = Live(Feeds(self.feed.subscribe, self.log.identity), self.statistics)
        ended = trio.Event()

        async def end():
            scope.cancel()
            await ended.wait()

        with trio.CancelScope() as scope:
            task_status.started((door.url, end))
            await serve(door, board, self.feed.subscribe, None, live)
        ended.set()

    @asynccontextmanager
    async def served(self, **where):
        """Serve it, until this is left; yield the address."""
        async with trio.open_nursery() as nursery:
            url, end = await nursery.start(self.serve, where)
            yield url
            await end()


class Proxy:
    """Passes bytes on, and breaks connections: after so many bytes from the server, or when told to."""

    def __init__(self, port, cuts=()):
        self._port = port
        self._cuts = list(cuts)
        self._scopes = set()
        self.connections = 0

    async def __aenter__(self):
        [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}/"
        serve = partial(trio.serve_listeners, self._pass_on, [listener])
        self._supervisor = sv.open_supervisor([sv.ChildSpec("proxy", serve)])
        await self._supervisor.__aenter__()
        return self

    async def __aexit__(self, *how):
        return await self._supervisor.__aexit__(*how)

    def cut(self):
        for scope in self._scopes:
            scope.cancel()

    async def _pass_on(self, client):
        self.connections += 1
        most = self._cuts.pop(0) if self._cuts else None
        async with client, await trio.open_tcp_stream("127.0.0.1", self._port) as server:
            async with trio.open_nursery() as nursery:
                self._scopes.add(nursery.cancel_scope)
                nursery.start_soon(self._forward, client, server, None, nursery.cancel_scope)
                nursery.start_soon(self._forward, server, client, most, nursery.cancel_scope)
            self._scopes.discard(nursery.cancel_scope)

    async def _forward(self, source, sink, most, scope):
        try:
            async for part in source:
                await sink.send_all(part if most is None else part[:most])
                if most is not None and (most := most - len(part)) <= 0:
                    break
        except trio.BrokenResourceError:
            pass
        scope.cancel()
