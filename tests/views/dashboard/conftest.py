"""Runs made by hand, of two variables, and a real server on loopback that shows them."""

import json
from contextlib import asynccontextmanager

import httpx
import numpy as np
import pytest
import trio

from exmc_actors.messages import STATS, DrawBlock
from exmc_actors.views.dashboard import Board, Picture, open_door, serve
from exmc_actors.views.dashboard.picture import EVENTS

TOKEN = "token-of-the-tests"


def block(chain, first, n, *, phase="sample", diverged=(), names=("mu", "<script>"), shape=(2,)):
    """Make a block whose values say which draw they are of: 1000 * chain + draw, and halves of it."""
    at = 1000.0 * chain + first + np.arange(n)
    stats = {name: np.zeros(n) for name in STATS}
    stats["diverging"] = np.isin(first + np.arange(n), diverged)
    stats["n_steps"] = np.full(n, 7)
    stats["energy"] = at
    scalar, vector = names
    draws = {scalar: at, vector: at.reshape(n, *(1 for _ in shape)) / 2 + np.zeros(shape)}
    return DrawBlock(chain, phase, first, draws, stats)


@pytest.fixture(scope="module")
def browser():
    """A real one, for modules that import ``pages``, and so are skipped where it is not."""
    from tests.views.dashboard.pages import opened_browser

    with opened_browser() as opened:
        yield opened


class Page:
    """What a page does with frames, as app.js does it."""

    def __init__(self):
        self.traces, self.divergences, self.events = [], [], []

    def accept(self, frame):
        frame = json.loads(json.dumps(frame, allow_nan=False))
        if frame["fresh"]:
            self.traces, self.divergences, self.events = [], [], []
        self._extend(self.traces, frame["traces"], "draws")
        self._extend(self.divergences, frame["divergences"], "numbers")
        self.events = (self.events + frame["events"])[-EVENTS:]

    def _extend(self, mine, news, key):
        for chain, new in enumerate(news):
            if chain == len(mine):
                mine.append({name: [] for name in new} | {"stride": 1, "values": [[] for _ in new["values"]]})
            old = mine[chain]
            keep = [number % new["stride"] == 0 for number in old[key]]
            for name, values in new.items():
                if name == "values":
                    old[name] = [
                        [v for v, k in zip(o, keep, strict=True) if k] + n
                        for o, n in zip(old[name], values, strict=True)
                    ]
                elif name != "stride":
                    old[name] = [v for v, k in zip(old[name], keep, strict=True) if k] + values
            old["stride"] = new["stride"]


class Feed:
    """A run that says what it is told to say."""

    def __init__(self):
        self.say, self._hear = trio.open_memory_channel(1000)

    @asynccontextmanager
    async def subscribe(self, **_):
        async with self._hear:
            yield self._hear

    async def __call__(self, *messages):
        for message in messages:
            await self.say.send(message)


class Hand:
    """Remembers what it was asked to do."""

    def __init__(self):
        self.did = []

    async def pause(self):
        self.did.append("pause")

    async def resume(self):
        self.did.append("resume")

    async def abort(self):
        self.did.append("abort")

    async def kill_chain(self, chain):
        self.did.append(f"kill {chain}")
        return True


@asynccontextmanager
async def served(*, token=None, control=None, draws=1000, tune=0, chains=2, feed=None):
    """Serve a run made by hand; yield its feed, its board, and a client that knows the address."""
    feed = feed or Feed()
    board = Board(Picture(chains=chains, draws=draws, tune=tune))
    door = await open_door(token=token)
    base = door.url.partition("#")[0]
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, door, board, feed.subscribe, control)
        async with httpx.AsyncClient(base_url=base, headers=headers) as client:
            yield feed, board, client
        nursery.cancel_scope.cancel()
    feed.say.close()


def run(main):
    """Run under real time, but not for long."""

    async def limited():
        with trio.fail_after(60):
            return await main()

    return trio.run(limited)


async def wait_until(is_so):
    """Return when something is so that nobody tells of: what a socket or the other side does."""
    while not await is_so():  # noqa: ASYNC110 - there is nobody to set an event
        await trio.sleep(0.01)
