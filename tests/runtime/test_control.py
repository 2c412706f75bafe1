"""A run is paused, goes on and is ended early, and no draw that it makes is another one for that."""

import pytest
import trio

import exmc_actors as ex
import supervision as sv
from exmc_actors.messages import ChainFailed, RunPaused, RunResumed
from exmc_actors.opening import open_run
from exmc_actors.runtime import inline
from tests.runtime.conftest import (
    SETTINGS,
    FixedBlocks,
    after_commits,
    draws_of,
    observe,
    opened,
    schools,
    virtual,
)


def where(run):
    return [(chain.phase, chain.index) for chain in run.statistics().chains]


@pytest.mark.parametrize("commits", [0, 1, 4, 6, 11])
def test_a_paused_run_stands_still_and_goes_on_to_the_same_bits(commits, undisturbed):
    async def main():
        async with opened() as run:
            await after_commits(1, commits, lambda run: run.pause())(run)
            await trio.sleep(1)
            before = where(run)
            assert run.statistics().paused == "asked to"
            await trio.sleep(3600)
            assert where(run) == before
            await run.resume()
            tree = await run.result()
            assert run.statistics().paused is None
            told = [message for message in run._log.messages if isinstance(message, RunPaused | RunResumed)]
            assert told == [RunPaused("asked to"), RunResumed()]
            return tree

    assert draws_of(virtual(main)) == undisturbed


def test_a_pause_outlives_restarts_and_is_taken_back_once(undisturbed):
    async def main():
        async with opened() as run:
            await run.pause()
            await run.pause()
            await run.kill_chain(1)
            run.supervisor.child("engine", "recorder").exit(sv.KILL)
            await trio.sleep(60)
            before = where(run)
            await trio.sleep(60)
            assert where(run) == before
            await run.resume()
            await run.resume()
            return await run.result()

    assert draws_of(virtual(main)) == undisturbed


def test_a_paused_run_can_be_left(undisturbed):
    async def main():
        async with opened() as run:
            await run.pause()
            await trio.sleep(10)
            return run.statistics()

    assert virtual(main).paused == "asked to"


@pytest.mark.parametrize("commits", [8, 10, 13])
def test_what_a_run_has_when_it_is_aborted_is_the_beginning_of_what_it_would_have_had(commits):
    whole = virtual(lambda: observe()).tree

    async def main():
        async with opened() as run:
            await after_commits(1, commits, lambda run: run.abort())(run)
            tree = await run.result()
            assert not [message for message in run._log.messages if isinstance(message, ChainFailed)]
            assert {chain.status for chain in run.statistics().chains} <= {"stopped", "finished"}
            return tree

    tree = virtual(main)
    kept = tree.posterior.sizes["draw"]
    assert 0 < kept < SETTINGS["draws"]
    for name, values in tree.posterior.data_vars.items():
        assert values.values.tobytes() == whole.posterior[name][:, :kept].values.tobytes()


def test_a_run_that_is_aborted_in_warmup_has_nothing_to_return():
    async def main():
        async with opened() as run:
            await after_commits(0, 1, lambda run: run.abort())(run)
            await run.result()

    with pytest.raises(ex.RunFailed, match="ended before every chain had a draw"):
        virtual(main)


def test_a_finished_run_can_be_aborted_and_paused_without_any_effect(undisturbed):
    async def main():
        async with opened() as run:
            await run.result()
            await run.abort()
            await run.pause()
            assert run.statistics().paused is None
            return await run.result()

    assert draws_of(virtual(main)) == undisturbed


def test_a_run_that_is_resumed_after_its_end_says_nothing_more():
    async def main():
        async with open_run(schools(), **SETTINGS, block_size=FixedBlocks(), runner=inline) as run:
            await run.pause()
            await run.abort()
            await run.resume()
            async with run.subscribe(from_start=True) as feed:
                return [message async for message in feed]

    told = [type(message) for message in virtual(main) if isinstance(message, RunPaused | RunResumed)]
    assert told == [RunPaused]


def test_an_aborted_run_in_a_store_can_be_gone_on_with(tmp_path, undisturbed):
    async def first():
        async with opened(store=tmp_path) as run:
            await after_commits(2, 9, lambda run: run.abort())(run)

    async def second():
        async with open_run(resume=tmp_path, runner=inline, save_warmup=True) as run:
            return await run.result()

    virtual(first)
    assert draws_of(virtual(second)) == undisturbed


def test_a_run_that_pauses_and_aborts_ends_every_subscription():
    async def main():
        async with opened() as run, trio.open_nursery() as nursery:
            ended = []

            async def listen():
                async with run.subscribe(overflow=ex.WAIT) as feed:
                    async for _ in feed:
                        pass
                ended.append(True)

            nursery.start_soon(listen)
            await run.pause()
            await trio.sleep(1)
            await run.abort()
            await trio.sleep(1)
            return ended

    assert virtual(main) == [True]
