"""Many runs in one runtime: who begins when, how they end; none of it changes a draw, or stays for ever."""

import asyncio
import gc
import weakref
from dataclasses import dataclass, field

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import exmc_actors as ex
import exmc_actors.asyncio as xa
import supervision as sv
from exmc_actors.runtime import inline
from exmc_actors.runtime.executables import Executables
from tests.runtime.conftest import SETTINGS, FixedBlocks, Y, draws_of, observe, schools, virtual


@dataclass
class Gate:
    """A runner that lets runs be opened, in the order that is noted, once it is open itself."""

    opened: trio.Event = field(default_factory=trio.Event)
    came: list = field(default_factory=list)

    def of(self, name):
        """Return the runner of a run."""

        async def run(function, **_):
            if name not in self.came:
                self.came.append(name)
            await self.opened.wait()
            return await inline(function)

        return run


def options(**settings):
    return SETTINGS | {"runner": inline, "block_size": FixedBlocks(), "save_warmup": True} | settings


def states(rt):
    return {status.name: status.state for status in rt.runs()}


def test_runs_draw_what_they_draw_alone_and_compile_nothing_more(monkeypatch, undisturbed):
    made, compiled = [], Executables._compiled
    monkeypatch.setattr(Executables, "_compiled", lambda *args: made.append(1) or compiled(*args))

    async def main():
        async with ex.open_runtime() as rt:
            runs = [await rt.start_run(schools(Y + shift), **options()) for shift in range(5)]
            return [draws_of(await run.result()) for run in runs], states(rt)

    drawn, ended = virtual(main)
    assert drawn[0] == undisturbed
    assert drawn[3] == draws_of(virtual(lambda: observe(model=schools(Y + 3), save_warmup=True)).tree)
    assert made == []
    assert ended == {f"run {number}": "finished" for number in range(1, 6)}


def test_runs_wait_by_priority_and_then_by_arrival():
    gate = Gate()

    async def main():
        async with ex.open_runtime(at_once=1) as rt:
            for name, priority in (("x", 9), ("a", 0), ("b", 0), ("c", 1)):
                run = options(runner=gate.of(name))
                await rt.start_run(schools(), name=name, priority=priority, **run)
                await wait_all_tasks_blocked()
            assert gate.came == ["x"]
            assert [(status.name, status.state, status.place) for status in rt.runs()] == [
                ("x", "running", None),
                ("a", "queued", 1),
                ("b", "queued", 2),
                ("c", "queued", 0),
            ]
            assert [rt.run(name).status().place for name in "xabc"] == [None, 1, 2, 0]
            gate.opened.set()
            for name in "xabc":
                await rt.run(name).result()
            assert set(states(rt).values()) == {"finished"}
        return gate.came

    assert virtual(main) == ["x", "c", "a", "b"]


def test_a_run_begins_while_fewer_chains_than_cores_sample_and_waits_for_no_lower_priority():
    gate = Gate()

    async def main():
        async with ex.open_runtime(at_once=3) as rt:
            for name, priority in (("a", 0), ("b", 0), ("c", 0), ("urgent", 1)):
                run = options(chains=2, runner=gate.of(name))
                await rt.start_run(schools(), name=name, priority=priority, **run)
                await wait_all_tasks_blocked()
            return gate.came, states(rt)

    came, were = virtual(main)
    assert came == ["a", "b", "urgent"]  # two chains are fewer than three, four are not
    assert (were["c"], were["urgent"]) == ("queued", "running")


def test_a_run_that_is_paused_leaves_its_place_to_others_and_ends_when_it_goes_on(undisturbed):
    async def main():
        async with ex.open_runtime(at_once=1) as rt:
            first = await rt.start_run(schools(), **options())
            run = await first.opened()
            await run.pause()
            second = await rt.start_run(schools(), **options())
            with trio.fail_after(1000):
                assert draws_of(await second.result()) == undisturbed
            assert states(rt) == {"run 1": "running", "run 2": "finished"}
            await run.resume()
            return draws_of(await first.result())

    assert virtual(main) == undisturbed


def test_subscribing_waits_for_the_beginning_and_ends_with_the_run():
    async def main():
        async with ex.open_runtime(at_once=1) as rt:
            await rt.start_run(schools(), **options())
            second = await rt.start_run(schools(), **options())
            async with second.subscribe(overflow=ex.WAIT, from_start=True) as feed:
                assert states(rt) == {"run 1": "finished", "run 2": "running"}
                messages = [message async for message in feed]
            return sum(len(m) for m in messages if isinstance(m, ex.DrawBlock) and m.phase == "sample")

    assert virtual(main) == 3 * 60


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


def test_mistakes_get_a_sentence_each():
    async def main():
        for wrong in ({"at_once": 0}, {"at_once": True}, {"keep": -1}, {"keep": None}):
            with pytest.raises(ex.SettingsError, match=f"{next(iter(wrong))} must be an integer of at least"):
                async with ex.open_runtime(**wrong):
                    raise AssertionError("it was opened")
        async with ex.open_runtime() as rt:
            await rt.start_run(schools(), name="first", **options(draws=10**9))
            for wrong, sentence in (
                (
                    {"name": "first"},
                    r"a run called 'first' already: choose another name, or rt.forget\('first'\)",
                ),
                ({"name": ""}, "name must be a non-empty string"),
                ({"name": 3}, "name must be a non-empty string"),
                ({"priority": "high"}, "priority must be an integer, got 'high'"),
                ({"drwas": 9}, "unknown option 'drwas': did you mean 'draws'"),
                ({"draws": 0}, "draws must be an integer"),
                ({"workers": "proces"}, "workers must be 'thread' or 'process'"),
                ({"patience": -1}, "patience must be a positive number"),
                ({"stop": 5}, "stop must be a rule or None"),
                ({"ensemble": "x"}, "ensemble must be True, False or None"),
                ({"ensemble": True, "kernel": ex.Walnuts()}, "leave out one of the two"),
                ({"var_names": []}, "var_names is empty"),
                ({"store": 5}, "store must be a folder's name"),
                ({"resume": 5}, "resume must be a folder's name"),
                ({"resume": "x", "tune": 3, "store": "y"}, "in its store: leave out tune, store"),
                ({"resume": "x", "chains": 0}, "chains must be an integer"),
            ):
                with pytest.raises(ex.SettingsError, match=sentence):
                    await rt.start_run(schools(), **wrong)
            with pytest.raises(ex.SettingsError, match="unknown run 'frist': did you mean 'first'"):
                rt.run("frist")
            with pytest.raises(ex.SettingsError, match=r"'second'\. Known: first"):
                await rt.stop("second")
            with pytest.raises(ex.SettingsError, match=r"has not ended: await rt.stop\('first'\)"):
                rt.forget("first")
            assert states(rt) == {"first": "running"}

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


def test_a_queue_that_is_killed_begins_again_with_what_waits():
    gate = Gate()

    async def main():
        async with ex.open_runtime(at_once=1) as rt:
            runs = [await rt.start_run(schools(), **options(runner=gate.of(name))) for name in "ab"]
            await wait_all_tasks_blocked()
            rt._queue.exit(sv.KILL)
            await rt._queue.wait_exited()
            gate.opened.set()
            return [draws_of(await run.result()) for run in runs]

    one, other = virtual(main)
    assert one == other


def test_an_asyncio_program_has_the_same_runtime(undisturbed):
    async def main():
        async with xa.open_runtime(at_once=1) as rt:
            for name in ("a", "b"):
                await rt.start_run(schools(), name=name, **SETTINGS, save_warmup=True)
            again = await rt.run("b")
            async with again.subscribe(overflow=ex.WAIT, from_start=True) as feed:
                messages = [message async for message in feed]
            tree = await again.result()
            assert (await (await again.opened()).statistics()).chains[0].status == "finished"
            await rt.start_run(schools(), name="long", **SETTINGS | {"draws": 10**9})
            await rt.stop("long")
            assert (await again.status()).state == "finished"
            with pytest.raises(ex.SettingsError, match="unknown run 'c'"):
                await rt.run("c")
            await rt.forget("a")
            return messages, draws_of(tree), {status.name: status.state for status in await rt.runs()}

    messages, drawn, ended = asyncio.run(main())
    assert sum(isinstance(message, ex.ChainFinished) for message in messages) == SETTINGS["chains"]
    assert drawn == undisturbed
    assert ended == {"b": "finished", "long": "stopped"}
