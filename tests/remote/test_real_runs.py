"""Real runs, followed from elsewhere: as complete as one that chains wait for, and the same draws."""

import asyncio

import httpx
import pytest
import trio

import exmc_actors as ex
import exmc_actors.asyncio as xa
from exmc_actors.opening import open_run
from exmc_actors.runtime import inline
from tests.remote.conftest import Proxy
from tests.remote.followed import assert_same, port_of
from tests.runtime.conftest import SETTINGS, FixedBlocks, draws_of, schools
from tests.views.dashboard.conftest import run as limited
from tests.views.dashboard.test_metrics import parsed

pytestmark = pytest.mark.filterwarnings("ignore::exmc_actors.errors.SamplingWarning")
OPTIONS = SETTINGS | {"runner": inline, "block_size": FixedBlocks()}


async def read(feed, into):
    async for message in feed:
        into.append(message)


def test_whoever_follows_from_elsewhere_sees_what_a_subscriber_sees_that_chains_wait_for():
    async def main():
        async with open_run(schools(), **OPTIONS) as undisturbed:
            wanted = draws_of(await undisturbed.result())
        here, there, late, newest = [], [], [], []
        async with open_run(schools(), **OPTIONS) as run:
            await run.pause()
            async with (
                run.serve_dashboard() as url,
                Proxy(port_of(url), cuts=[None, 5000, 20_000, 20_001, 90_000]) as proxy,
                ex.connect(proxy.url) as remote,
                ex.connect(url) as direct,
                run.subscribe(overflow=ex.WAIT, from_start=True) as local,
                remote.subscribe(overflow=ex.WAIT, from_start=True) as cut,
                direct.subscribe(overflow=ex.WAIT, capacity=1, from_start=True) as slow,
                direct.subscribe(overflow=ex.LATEST) as skipping,
                trio.open_nursery() as nursery,
            ):
                for feed, into in ((local, here), (cut, there), (slow, late), (skipping, newest)):
                    nursery.start_soon(read, feed, into)
                await run.kill_chain(1)
                await run.resume()
                tree = await run.result()
                async with httpx.AsyncClient() as client:
                    found = parsed((await client.get(f"{url}metrics")).text)
        assert draws_of(tree) == wanted
        assert any(isinstance(message, ex.ChainRestarted) for message in here)
        assert_same(there, here)
        assert_same(late, here)
        assert newest[-1] == here[-1]
        for chain in range(3):
            label = ("chain", str(chain))
            assert found[("exmc_chain_draws_total", label)] == SETTINGS["draws"]
            assert found[("exmc_chain_status", label, ("status", "finished"))] == 1
        assert found[("exmc_chain_restarts_total", ("chain", "1"))] == 1

    limited(main)


def test_a_program_of_asyncio_follows_too():
    async def main():
        async with (
            xa.open_run(schools(), **OPTIONS) as run,
            run.serve_dashboard(token="token-of-the-tests") as url,
            xa.connect(url) as remote,
            run.subscribe(overflow=ex.WAIT, from_start=True) as local,
            remote.subscribe(overflow=ex.WAIT, from_start=True) as feed,
        ):
            here = [message async for message in local]
            assert_same([message async for message in feed], here)
            assert (await feed.statistics()).delivered == len(here)
            with pytest.raises(ex.RemoteRefused, match="a token is needed"):
                async with xa.connect(url.partition("#")[0]):
                    pass

    asyncio.run(main())


def test_leaving_a_run_that_is_over_tells_its_readers_first():
    async def main():
        messages = []
        async with (
            trio.open_nursery() as nursery,
            open_run(schools(), **OPTIONS) as run,
            run.serve_dashboard() as url,
        ):

            async def follow(*, task_status):
                async with ex.connect(url) as remote, remote.subscribe(overflow=ex.WAIT) as feed:
                    task_status.started()
                    await read(feed, messages)

            await nursery.start(follow)
            await run.result()
        assert sum(isinstance(message, ex.ChainFinished) for message in messages) == SETTINGS["chains"]

    limited(main)


def test_a_dashboard_of_a_stored_run_says_that_it_has_no_feed(tmp_path):
    from exmc_actors import dashboard

    async def main():
        store = tmp_path / "run"
        async with open_run(schools(), **OPTIONS | {"draws": 10, "tune": 10}, store=ex.Store(store)) as run:
            await run.result()
        async with trio.open_nursery() as nursery:
            told, heard = trio.open_memory_channel(1)
            nursery.start_soon(dashboard.show_stored, store, "127.0.0.1", 0, None, (), told.send_nowait)
            url = await heard.receive()
            with pytest.raises(ex.RemoteRefused, match="shows a stored run, which it only reads"):
                async with ex.connect(url):
                    pass
            nursery.cancel_scope.cancel()

    limited(main)
