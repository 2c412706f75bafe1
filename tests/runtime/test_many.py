"""Many runs in one runtime: who begins when, and what is refused; none of it changes a draw."""

import asyncio

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import exmc_actors as ex
import exmc_actors.asyncio as xa
import supervision as sv
from exmc_actors.runtime.executables import Executables
from tests.runtime.conftest import SETTINGS, Y, draws_of, observe, schools, virtual
from tests.runtime.many_runs import Gate, options, states


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
