"""A run under a supervisor of the user's own: opened again, to the same bits or from its store."""

import contextlib

import jax.numpy as jnp
import numpy as np
import pytest
import trio

import exmc_actors as ex
import supervision as sv
from exmc_actors.runtime import inline
from tests.runtime.conftest import SETTINGS, FixedBlocks, draws_of, observe, schools, virtual


def spec(model=None, **settings):
    options = SETTINGS | {"runner": inline, "block_size": FixedBlocks(), "save_warmup": True} | settings
    return ex.run_spec(schools() if model is None else model, id="schools", **options)


async def kill(child):
    """Kill a child and wait for the next one."""
    killed = await ex.run_of(child)
    child.exit(sv.KILL)
    await child.wait_exited()
    while True:
        await trio.sleep(0.01)
        with contextlib.suppress(sv.ProcessExited):
            run = await ex.run_of(child)
            assert run is not killed
            return run


async def kill_after_three_blocks(child):
    """Kill a child when its run has committed something; return how much, and the next run."""
    run, seen = await ex.run_of(child), 0
    async with run.subscribe(overflow=ex.WAIT, capacity=1, from_start=True) as feed:
        async for message in feed:
            seen += isinstance(message, ex.DrawBlock)
            if seen == 3:
                break
        committed = sum(record.transitions for record in run._log.chains)
        return committed, await kill(child)


def test_a_child_holds_a_run_and_opens_it_again_with_the_same_draws(undisturbed):
    async def main():
        async with sv.open_supervisor([spec()]) as supervisor:
            first = await ex.run_of(supervisor.child("schools"))
            again = await kill(supervisor.child("schools"))
            assert {chain.status for chain in first.statistics().chains} == {"stopped"}
            return draws_of(await again.result())

    assert virtual(main) == undisturbed


def test_a_seed_that_is_not_given_is_drawn_once():
    async def main():
        async with sv.open_supervisor([spec(random_seed=None)]) as supervisor:
            child = supervisor.child("schools")
            one = await (await ex.run_of(child)).result()
            other = await (await kill(child)).result()
            return draws_of(one) == draws_of(other), one.attrs["random_seed"] == other.attrs["random_seed"]

    assert virtual(main) == (True, True)


def test_a_run_in_a_store_goes_on_where_it_was_killed(tmp_path, undisturbed):
    async def main():
        async with sv.open_supervisor([spec(store=tmp_path / "run")]) as supervisor:
            committed, run = await kill_after_three_blocks(supervisor.child("schools"))
            assert sum(record.transitions for record in run._log.chains) >= committed > 0
            return draws_of(await run.result())

    assert virtual(main) == undisturbed


def test_a_function_in_a_store_goes_on_too(tmp_path):
    target = ex.LogDensity(lambda q: -0.5 * jnp.dot(q, q), np.zeros(2))

    async def main():
        async with sv.open_supervisor([spec(target, store=tmp_path / "run")]) as supervisor:
            _, run = await kill_after_three_blocks(supervisor.child("schools"))
            return draws_of(await run.result())

    assert virtual(main) == draws_of(virtual(lambda: observe(model=target, save_warmup=True)).tree)


def test_a_folder_that_held_a_run_before_is_refused_each_time(tmp_path):
    async def main():
        options = {"runner": inline, "block_size": FixedBlocks(), "store": tmp_path / "run"}
        async with ex.open_run(schools(), **SETTINGS, **options):
            pass
        refused = spec(store=tmp_path / "run")
        for _ in range(2):
            with pytest.raises(sv.StartFailed) as caught:
                async with sv.open_supervisor([refused]):
                    raise AssertionError("it was not refused")
            assert "holds a run" in str(caught.value) + str(caught.value.__cause__)

    virtual(main)


def test_another_child_finds_the_run_by_its_name():
    names, seen = sv.Registry(), []

    async def watch():
        run = await ex.run_of(names.via("the run"))
        async with run.subscribe(overflow=ex.WAIT, from_start=True) as feed:
            seen.extend([message async for message in feed])

    async def main():
        options = SETTINGS | {"runner": inline, "block_size": FixedBlocks()}
        run = ex.run_spec(schools(), name=names.via("the run"), **options)
        async with sv.open_supervisor([run, sv.ChildSpec("watch", watch, restart="transient")]) as supervisor:
            await supervisor.child("watch").wait_exited()

    virtual(main)
    assert sum(isinstance(message, ex.ChainFinished) for message in seen) == SETTINGS["chains"]


def test_a_run_that_breaks_is_opened_again(undisturbed):
    async def main():
        async with sv.open_supervisor([spec()]) as supervisor:
            child = supervisor.child("schools")
            run = await ex.run_of(child)
            run.supervisor.ref.exit(sv.KILL)
            await child.wait_exited()
            await trio.sleep(0.01)
            return draws_of(await (await ex.run_of(child)).result())

    assert virtual(main) == undisturbed


def test_a_run_that_cannot_be_opened_fails_the_start_and_a_mistake_is_told_at_once():
    async def main():
        with pytest.raises(sv.StartFailed) as caught:
            async with sv.open_supervisor([spec(initvals={"nu": 1.0})]):
                raise AssertionError("it was opened")
        assert "nu" in str(caught.value) + str(caught.value.__cause__)

    virtual(main)
    with pytest.raises(ex.SettingsError, match="draws must be"):
        spec(draws=0)
    with pytest.raises(ex.SettingsError, match="stop must be a rule"):
        spec(stop="10 min")
    with pytest.raises(ex.SettingsError, match="unknown option 'drwas': did you mean 'draws'"):
        ex.run_spec(schools(), drwas=3)


def test_a_message_that_means_nothing_is_refused_and_costs_no_run():
    async def main():
        async with sv.open_supervisor([spec()]) as supervisor:
            child = supervisor.child("schools")
            run = await ex.run_of(child)
            with pytest.raises(ex.SettingsError, match=r"called with 'result'.*ex.run_of"):
                await child.call("result")
            assert await ex.run_of(child) is run

    virtual(main)
