"""A run in an asyncio program: the same draws, messages and errors, and cancelling both ways."""

import asyncio
import threading

import pytest
import trio

import exmc_actors as ex
import exmc_actors.asyncio as xa
import supervision as sv
from exmc_actors.held_run import HeldRun
from exmc_actors.many import Runtime
from exmc_actors.run import Run
from exmc_actors.runtime import Subscription, request
from exmc_actors.runtime.executables import Executables
from exmc_actors.views.summaries import Summaries
from tests.runtime.conftest import FixedBlocks, draws_of, schools

pytestmark = [
    pytest.mark.filterwarnings("ignore::exmc_actors.errors.SamplingWarning"),
    pytest.mark.usefixtures("no_thread_is_left"),
]
SETTINGS = {"draws": 300, "chains": 2, "random_seed": 4}


@pytest.fixture(scope="module")
def model():
    return schools()


def test_a_run_gives_the_draws_that_trio_gives(model):
    async def main():
        async with xa.open_run(model, **SETTINGS) as run:
            return await run.result()

    alone = ex.sample(model, **SETTINGS, progressbar=False)
    assert draws_of(asyncio.run(main())) == draws_of(alone)


def test_messages_come_in_order_and_end_with_the_run_while_a_chain_is_killed(model, monkeypatch):
    is_killed, start = threading.Event(), Executables.start

    def start_after_the_kill(*args):
        assert is_killed.wait(60)
        return start(*args)

    monkeypatch.setattr(Executables, "start", start_after_the_kill)
    monkeypatch.setattr(request, "GATHERED", 0.0)  # so that it waits in a thread, not in the loop

    async def main():
        async with (
            xa.open_run(model, **SETTINGS) as run,
            run.subscribe(overflow=ex.WAIT, from_start=True, chains=1) as feed,
        ):
            assert await run.kill_chain(1)
            is_killed.set()
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
            assert await run.stop_chain(1)
            assert not await run.stop_chain(1)
            assert list(await run.add_chains()) == [2]
            await run.resume()
            async with run.subscribe() as feed:
                await anext(feed)
            await run.abort()
            return await run.result()

    assert 0 < asyncio.run(main()).posterior.sizes["draw"] < 1_000_000


def test_summaries_come_while_it_samples_and_end_with_it(model):
    async def main():
        async with xa.open_run(model, **SETTINGS) as run, run.subscribe_summaries(every=0.01) as summaries:
            draws = [summary.draws.tolist() async for summary in summaries]
            return draws[-1], summaries.online.histogram("mu").counts.shape[0]

    assert asyncio.run(main()) == ([300, 300], SETTINGS["chains"])


@pytest.mark.parametrize(
    ("ours", "theirs", "for_the_library"),
    [
        (Run, xa.Run, {"committed_result"}),
        (HeldRun, xa.HeldRun, set()),
        (Runtime, xa.Runtime, set()),
        (Summaries, xa.Summaries, set()),
        (Subscription, xa.Subscription, {"holds_back", "number", "take"}),
    ],
)
def test_what_can_be_asked_in_trio_can_be_asked_here(ours, theirs, for_the_library):
    def offered(cls):
        return {name for name in dir(cls) if not name.startswith("_")}

    assert offered(ours) - offered(theirs) == for_the_library


def test_a_run_that_is_cancelled_keeps_nothing(model, tmp_path):
    async def main():
        async with xa.open_run(model, **SETTINGS, store=tmp_path / "run") as run:
            await run.cancel()
            with pytest.raises(ex.RunFailed, match="the run was cancelled"):
                await run.result()

    asyncio.run(main())
    assert not (tmp_path / "run" / "head").exists()


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
    draws = 50_000  # which are not made before the run is paused

    async def main():
        async with xa.open_run(model, **SETTINGS | {"draws": draws}) as run:
            await run.pause()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await run.result()
            await run.resume()
            return await run.result()

    assert asyncio.run(main()).posterior.sizes["draw"] == draws


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


def test_no_message_is_lost_to_who_waits_for_a_moment_only(model):
    """A message that is read as the waiting is cancelled is the next one that is seen."""

    async def main():
        drawn = timeouts = 0
        async with (
            xa.open_run(model, **SETTINGS, block_size=FixedBlocks((5,))) as run,
            run.subscribe(overflow=ex.WAIT, from_start=True) as feed,
        ):
            while True:
                message = None
                try:
                    async with asyncio.timeout(0.0003):
                        message = await anext(feed)
                except TimeoutError:
                    timeouts += 1
                except StopAsyncIteration:
                    return drawn, timeouts
                if isinstance(message, ex.DrawBlock):
                    drawn += len(message)

    drawn, timeouts = asyncio.run(main())
    assert drawn == 2 * 450
    assert timeouts > 0


@pytest.mark.parametrize("ask", ["subscribe", "read on", "result", "statistics"])
def test_who_uses_a_run_that_another_task_leaves_is_not_cancelled(model, ask):
    async def main():
        is_open, is_left = asyncio.Event(), asyncio.Event()
        runs = []

        async def owner():
            async with xa.open_run(model, **SETTINGS | {"draws": 1_000_000}) as run:
                runs.append(run)
                is_open.set()
                await asyncio.sleep(0)
            is_left.set()

        async def guest():
            await is_open.wait()
            if ask in ("subscribe", "read on"):
                async with runs[0].subscribe(overflow=ex.WAIT, from_start=True) as feed:
                    if ask == "read on":
                        await is_left.wait()
                    return [message async for message in feed]
            while True:
                await (runs[0].result() if ask == "result" else runs[0].statistics())

        held, used = asyncio.create_task(owner()), asyncio.create_task(guest())
        await held
        return await asyncio.wait_for(used, 60)

    if ask in ("result", "statistics"):
        with pytest.raises(ex.RunFailed):
            asyncio.run(main())
    else:
        assert isinstance(asyncio.run(main()), list)
