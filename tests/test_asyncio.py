"""A run in an asyncio program: the same draws, messages and errors, and cancelling both ways."""

import asyncio
import threading

import pytest
import trio

import exmc_actors as ex
import exmc_actors.asyncio as xa
import supervision as sv
from exmc_actors.portal import open_portal
from tests.runtime.conftest import draws_of, schools

pytestmark = pytest.mark.filterwarnings("ignore::exmc_actors.errors.SamplingWarning")
SETTINGS = {"draws": 300, "chains": 2, "random_seed": 4}


@pytest.fixture(scope="module")
def model():
    return schools()


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    before = {thread.name for thread in threading.enumerate()}
    yield
    left = {thread.name for thread in threading.enumerate()} - before
    assert not [name for name in left if name.startswith("exmc_actors")]


def test_a_run_gives_the_draws_that_trio_gives(model):
    async def main():
        async with xa.open_run(model, **SETTINGS) as run:
            return await run.result()

    alone = ex.sample(model, **SETTINGS, progressbar=False)
    assert draws_of(asyncio.run(main())) == draws_of(alone)


def test_messages_come_in_order_and_end_with_the_run_while_a_chain_is_killed(model):
    async def main():
        async with (
            xa.open_run(model, **SETTINGS) as run,
            run.subscribe(overflow=ex.WAIT, from_start=True, chains=1) as feed,
        ):
            assert await run.kill_chain(1)
            drawn = [message async for message in feed if isinstance(message, ex.DrawBlock)]
            statistics = await run.statistics()
            return [m.first for m in drawn if m.phase == "sample"], sum(map(len, drawn)), statistics

    firsts, total, statistics = asyncio.run(main())
    assert firsts == sorted(firsts)
    assert total == 450
    assert statistics.chains[1].restarts == 1


def test_a_run_is_paused_resumed_and_aborted(model):
    async def main():
        async with xa.open_run(model, **SETTINGS | {"draws": 1_000_000}) as run:
            async with run.subscribe(overflow=ex.WAIT) as feed:
                async for message in feed:
                    if message.phase == "sample":
                        break
            await run.pause()
            assert (await run.statistics()).paused == "asked to"
            await run.resume()
            async with run.subscribe() as feed:
                await anext(feed)
            await run.abort()
            return await run.result()

    assert 0 < asyncio.run(main()).posterior.sizes["draw"] < 1_000_000


def test_summaries_come_while_it_samples_and_end_with_it(model):
    async def main():
        async with xa.open_run(model, **SETTINGS) as run, run.subscribe_summaries(every=0.01) as summaries:
            return [summary.draws.tolist() async for summary in summaries]

    assert asyncio.run(main())[-1] == [300, 300]


def test_what_is_raised_there_is_raised_here(model):
    async def main(**options):
        async with xa.open_run(model, **options) as run, run.subscribe(chains=9):
            pass

    with pytest.raises(ex.SettingsError, match="draws must be"):
        asyncio.run(main(draws=0))
    with pytest.raises(ex.SettingsError, match="no chain 9"):
        asyncio.run(main(**SETTINGS))


def test_what_the_block_raises_passes(model):
    async def main():
        async with xa.open_run(model, **SETTINGS | {"draws": 1_000_000}):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        asyncio.run(main())


def test_a_task_that_is_cancelled_stops_its_run(model):
    async def main():
        opened = asyncio.Event()

        async def work():
            async with xa.open_run(model, **SETTINGS | {"draws": 1_000_000}) as run:
                opened.set()
                await run.result()

        task = asyncio.create_task(work())
        await opened.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(60):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2), xa.open_run(model, **SETTINGS | {"draws": 10**6}) as run:
                    await run.result()

    asyncio.run(main())


def test_a_call_that_is_cancelled_leaves_the_run_as_it_is(model):
    async def main():
        async with xa.open_run(model, **SETTINGS) as run:
            await run.pause()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await run.result()
            await run.resume()
            return await run.result()

    assert asyncio.run(main()).posterior.sizes["draw"] == SETTINGS["draws"]


def test_a_run_that_breaks_cancels_the_block_and_says_why(model):
    async def main():
        async with xa.open_run(model, **SETTINGS | {"draws": 1_000_000}) as run:

            async def kill_the_engine():
                engine = run._run.supervisor.child("engine")
                while True:
                    if engine.is_alive:
                        engine.exit(sv.KILL)
                    await trio.sleep(0.01)

            await run._portal.call(kill_the_engine)

    with pytest.raises(ex.RunFailed, match="supervision tree gave up"):
        asyncio.run(main())


def test_two_runs_at_once_draw_what_they_draw_alone(model):
    async def one(seed):
        async with xa.open_run(model, **SETTINGS | {"random_seed": seed}) as run:
            return draws_of(await run.result())

    async def main():
        return await asyncio.gather(one(1), one(2))

    for seed, draws in zip((1, 2), asyncio.run(main()), strict=True):
        assert draws == draws_of(ex.sample(model, **SETTINGS | {"random_seed": seed}, progressbar=False))


def test_a_portal_ends_what_is_under_way_in_it():
    async def main():
        ended = []

        async def for_ever():
            try:
                await trio.sleep_forever()
            finally:
                ended.append(True)

        async with open_portal() as portal:
            waiting = asyncio.create_task(portal.call(for_ever))
            await portal.call(trio.lowlevel.checkpoint)
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return ended

    assert asyncio.run(main()) == [True]
