"""Each run of a runtime ends in its own way; none takes another with it, or stays for ever."""

import gc
import weakref

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import exmc_actors as ex
import supervision as sv
from exmc_actors.runtime.executables import Executables
from tests.runtime.conftest import draws_of, schools, virtual
from tests.runtime.many_runs import Gate, options, states


async def broken(function, **_):
    raise ValueError("no such luck")


def test_runs_that_fail_say_why_and_take_nobody_with_them(undisturbed):
    async def main():
        async with ex.open_runtime() as rt:
            wrong = await rt.start_run(schools(), name="wrong", **options(initvals={"nu": 1.0}))
            bug = await rt.start_run(schools(), name="bug", **options(runner=broken))
            shot = await rt.start_run(schools(), name="shot", **options(draws=10**9))
            (await shot.opened()).supervisor.ref.exit(sv.KILL)
            good = await rt.start_run(schools(), name="good", **options())
            assert draws_of(await good.result()) == undisturbed
            with pytest.raises(ex.ModelError, match="nu"):
                await wrong.result()
            for _ in range(2):
                with pytest.raises(ex.RunFailed, match="'bug' broke down: ValueError: no such luck"):
                    await bug.opened()
            with pytest.raises(ex.RunFailed, match="'shot' broke down: ProcessExited"):
                await shot.result()
            return rt.runs()

    statuses = {status.name: status for status in virtual(main)}
    assert {name: status.state for name, status in statuses.items()} == {
        "wrong": "failed",
        "bug": "failed",
        "shot": "failed",
        "good": "finished",
    }
    assert "nu" in statuses["wrong"].reason


def test_a_run_whose_every_chain_gave_up_has_failed(monkeypatch):
    def burst(*_):
        raise ArithmeticError("the block burst")

    async def main():
        async with ex.open_runtime() as rt:
            run = await rt.start_run(schools(), **options())
            with pytest.raises(ex.RunFailed, match="the block burst"):
                await run.result()
            return run.status()

    monkeypatch.setattr(Executables, "advance", burst)
    status = virtual(main)
    assert status.state == "failed"
    assert "gave up after 3 attempts" in status.reason


def test_a_run_is_stopped_in_the_queue_or_on_its_way_and_keeps_what_it_has():
    async def main():
        async with ex.open_runtime(at_once=1) as rt:
            long = await rt.start_run(schools(), name="long", **options(draws=10**9))
            queued = await rt.start_run(schools(), name="queued", **options())
            async with long.subscribe() as feed:
                async for message in feed:
                    if message.phase == "sample" and message.first > 50:
                        break
            await rt.stop("queued")
            with pytest.raises(ex.RunFailed, match="'queued' was stopped before it began"):
                await queued.result()
            last = await rt.start_run(schools(), name="last", **options())
            for _ in range(2):
                await rt.stop("long")
            assert 0 < (await long.result()).posterior.sizes["draw"] < 10**6
            await last.result()
            return states(rt)

    assert virtual(main) == {"long": "stopped", "queued": "stopped", "last": "finished"}


@pytest.mark.parametrize(("which", "state"), [([1], "finished"), ([0, 1, 2], "stopped")])
def test_a_run_has_finished_unless_all_its_chains_were_stopped(which, state):
    async def main():
        async with ex.open_runtime() as rt:
            held = await rt.start_run(schools(), **options(draws=200))
            run = await held.opened()
            async with run.subscribe(overflow=ex.WAIT, from_start=True, chains=1) as feed:
                async for message in feed:
                    if message.phase == "sample" and message.first > 50:
                        break
                for chain in which:
                    assert await run.stop_chain(chain)
            await held.result()
            return held.status().state

    assert virtual(main) == state


def test_a_run_is_cancelled_and_leaves_its_folder_to_another_one(tmp_path, undisturbed):
    async def main():
        async with ex.open_runtime() as rt:
            first = await rt.start_run(schools(), name="first", store=tmp_path, **options())
            run = await first.opened()
            await run.pause()
            await run.cancel()
            with pytest.raises(ex.RunFailed, match="the run was cancelled"):
                await first.result()
            assert states(rt) == {"first": "stopped"}
            second = await rt.start_run(schools(), store=tmp_path, **options())
            return draws_of(await second.result())

    assert virtual(main) == undisturbed


def test_leaving_stops_all_and_nobody_waits_for_ever():
    async def main():
        ended = []

        async def wait(run):
            with pytest.raises(ex.RunFailed):
                await run.result()
            ended.append(run.name)

        gate = Gate()
        async with trio.open_nursery() as nursery, ex.open_runtime(at_once=1) as rt:
            for name in ("opening", "queued"):
                run = await rt.start_run(schools(), name=name, **options(runner=gate.of(name)))
                nursery.start_soon(wait, run)
            await wait_all_tasks_blocked()
        assert sorted(ended) == ["opening", "queued"]
        assert set(states(rt).values()) == {"stopped"}
        with pytest.raises(ex.SettingsError, match="has been left"):
            await rt.start_run(schools())
        for name in ("opening", "queued"):
            rt.forget(name)
        assert rt.runs() == ()

    virtual(main)


def test_leaving_keeps_no_more_runs_than_were_to_be_kept():
    async def main():
        async with ex.open_runtime(at_once=1, keep=1) as rt:
            for name in "abc":
                await rt.start_run(schools(), name=name, **options(draws=10**9))
        assert list(states(rt)) == ["a"]

    virtual(main)


def test_what_the_block_raises_passes_as_it_is():
    async def main():
        async with ex.open_runtime() as rt:
            await rt.start_run(schools(), **options(draws=10**9))
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        virtual(main)


def test_runs_that_have_ended_are_forgotten_in_their_order_and_leave_nothing_behind():
    async def main():
        async with ex.open_runtime(keep=2) as rt:
            refs = []
            for name in "abcd":
                run = await rt.start_run(schools(), name=name, **options())
                await run.result()
                refs.append(weakref.ref(await run.opened()))
            assert list(states(rt)) == ["c", "d"]
            rt.forget("d")
            assert list(states(rt)) == ["c"]
            assert draws_of(await run.result()) == draws_of(await rt.run("c").result())
            del run
            await (await rt.start_run(schools(), name="d", **options())).result()
            gc.collect()
            return [ref() is None for ref in refs]

    assert virtual(main) == [True, True, False, True]


def test_what_a_forgotten_run_has_committed_does_not_wait_for_a_garbage_collection():
    async def main():
        async with ex.open_runtime(keep=0) as rt:
            gc.collect()
            gc.disable()
            try:
                run = await rt.start_run(schools(), **options())
                log = weakref.ref((await run.opened())._log)
                await run.result()
                del run
                await trio.sleep(1)
                return log() is None
            finally:
                gc.enable()

    assert virtual(main)


def test_runs_end_as_ever_while_their_host_handles_an_exception():
    async def main():
        async with ex.open_runtime() as rt:
            await (await rt.start_run(schools(), name="a", **options())).result()
            return states(rt)

    try:
        raise KeyError("of the host")
    except KeyError:
        assert virtual(main) == {"a": "finished"}
