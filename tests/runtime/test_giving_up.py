"""A chain that cannot go on ends alone, by a named reason, after three attempts; an ordered kill is none."""

import numpy as np
import pytest
import trio

import exmc_actors as ex
import supervision as sv
from exmc_actors.chain import chain_key
from exmc_actors.messages import ChainFailed, ChainFinished, ChainRestarted
from exmc_actors.opening import open_run
from exmc_actors.runtime import inline
from exmc_actors.runtime.executables import Executables
from tests.runtime.conftest import SETTINGS, FixedBlocks, draws_of, observe, schools, virtual

FIRST_COMMIT = 6  # calls of the runner: the starts, the data, two executables, a start, a block


@pytest.fixture
def poison(monkeypatch):
    """Make every block of one chain raise from a given transition on."""

    def from_transition(chain, transition):
        advance = Executables.advance
        key = chain_key(SETTINGS["random_seed"], chain)

        def poisoned(self, chains, *rest):
            for state, _ in chains:
                if np.array_equal(state.key, key) and state.transitions >= transition:
                    raise FloatingPointError("the poison of this test")
            return advance(self, chains, *rest)

        monkeypatch.setattr(Executables, "advance", poisoned)

    return from_transition


@pytest.mark.parametrize("transition", [0, 21, 56])
def test_a_block_that_always_raises_ends_its_chain_alone_after_three_attempts(
    poison, transition, undisturbed
):
    poison(1, transition)
    seen = virtual(lambda: observe())
    failures = [m for m in seen.messages if isinstance(m, ChainFailed)]
    assert len(failures) == 1
    assert failures[0].chain == 1
    assert "gave up after 3 attempts" in failures[0].reason
    assert "the poison of this test" in failures[0].reason
    assert len([m for m in seen.messages if isinstance(m, ChainRestarted)]) == 2
    assert sorted(m.chain for m in seen.messages if isinstance(m, ChainFinished)) == [0, 2]
    assert [chain.status for chain in seen.statistics.chains] == ["finished", "failed", "finished"]


def test_the_draws_of_a_failed_chain_are_kept_apart_and_the_others_are_untouched(poison, undisturbed):
    poison(1, 56)
    tree = virtual(lambda: observe()).tree
    assert list(tree.posterior.chain.values) == [0, 2]
    assert list(tree.failed_posterior.chain.values) == [1]
    assert (
        tree.failed_posterior.sizes["draw"] == 21
    )  # the block from transition 54 to 60 was the last to begin in time
    whole = np.frombuffer(undisturbed["posterior/theta"]).reshape(3, 60, 8)
    assert tree.posterior["theta"].values.tobytes() == whole[[0, 2]].tobytes()
    assert tree.attrs["chain_lengths"] == [60, 21, 60]
    assert "the poison of this test" in tree.attrs["failed_reasons"][0]


async def result_of_one_chain():
    settings = SETTINGS | {"chains": 1}
    async with open_run(schools(), **settings, block_size=FixedBlocks(), runner=inline) as run:
        return await run.result()


def test_failed_chains_of_different_lengths_are_filled_up_with_nan(monkeypatch):
    poisoned = {1: 47, 2: 61}
    advance = Executables.advance

    def poison_two(self, chains, *rest):
        for chain, transition in poisoned.items():
            key = chain_key(SETTINGS["random_seed"], chain)
            if any(np.array_equal(state.key, key) and state.transitions >= transition for state, _ in chains):
                raise FloatingPointError("the poison of this test")
        return advance(self, chains, *rest)

    monkeypatch.setattr(Executables, "advance", poison_two)
    tree = virtual(lambda: observe()).tree
    assert tree.attrs["chain_lengths"] == [60, 7, 21]
    assert np.isnan(tree.failed_posterior["mu"].values).sum() == 14
    assert np.isnan(tree.failed_sample_stats["diverging"].values).sum() == 14
    assert np.isnan(tree.failed_sample_stats["n_steps"].values[0, 7:]).all()


def test_a_run_whose_every_chain_gave_up_raises_and_says_why(poison):
    poison(0, 10)
    with pytest.raises(ex.RunFailed, match=r"chain 0.*gave up after 3 attempts.*the poison of this test"):
        virtual(result_of_one_chain)


def test_two_crashes_and_a_commit_begin_the_count_anew(undisturbed):
    class TwiceABlock:
        """Raise at the first two attempts of each of many blocks of one chain."""

        calls = 0

        async def __call__(self, function, **_):
            await trio.lowlevel.checkpoint()
            type(self).calls += 1
            if FIRST_COMMIT < type(self).calls < 40 and type(self).calls % 3:
                raise RuntimeError("twice a block")
            return function()

    seen = virtual(lambda: observe(chains=1, runner=TwiceABlock()))
    assert seen.statistics.chains[0].restarts > 10
    assert seen.statistics.chains[0].status == "finished"


def test_ordered_kills_never_count_as_attempts(undisturbed):
    async def kill_twenty_times(run):
        for _ in range(20):
            await run.kill_chain(0)
            await trio.testing.wait_all_tasks_blocked()

    async def hold(function, **_):
        await trio.sleep(0.001)
        return function()

    seen = virtual(lambda: observe(kill_twenty_times, save_warmup=True, runner=hold))
    assert seen.statistics.chains[0].restarts >= 10
    assert draws_of(seen.tree) == undisturbed


def test_a_storm_of_deaths_ends_a_chain_by_name_and_not_in_silence(undisturbed):
    """The brake of the chain's supervisor: more restarts in a second than it heals."""

    async def storm(run):
        for _ in range(500):
            await run.kill_chain(0)
            await trio.lowlevel.checkpoint()

    async def hold(function, **_):
        await trio.sleep(1e-9)
        return function()

    async def main():
        async with open_run(schools(), **SETTINGS, block_size=FixedBlocks(), runner=hold) as run:
            await storm(run)
            return await run.result(), run.statistics()

    tree, statistics = virtual(main)
    assert statistics.chains[0].status == "failed"
    assert "gave up" in tree.attrs["failed_reasons"][0]
    assert list(tree.posterior.chain.values) == [1, 2]


@pytest.mark.parametrize(
    "path",
    [
        ("engine", "chains", "chain 0", "actor"),
        ("engine", "chains", "chain 0"),
        ("engine", "chains"),
        ("engine",),
    ],
)
@pytest.mark.parametrize("how", ["stop", "kill often"])
def test_however_a_part_of_the_tree_ends_nobody_waits_for_a_chain_that_is_gone(path, how):
    async def hold(function, **_):
        await trio.sleep(0.01)
        return function()

    chains = []

    async def main():
        settings = SETTINGS | {"chains": 2}
        async with open_run(schools(), **settings, block_size=FixedBlocks((1,)), runner=hold) as run:
            chains.extend(run._log.chains)
            part = run.supervisor.child(*path)
            for _ in range(1 if how == "stop" else 8):
                if how == "stop":
                    await part.stop(sv.Shutdown("by a stranger"))
                else:
                    part.exit(sv.KILL)
                    await trio.sleep(0.05)
            with trio.fail_after(1e4):
                await run.result()

    refused = None
    try:
        virtual(main)
    except ex.RunFailed as error:
        refused = str(error)
    if path == ("engine",) and how == "kill often":
        assert "gave up" in refused
        assert {record.status for record in chains} == {"stopped"}
        return
    assert {record.status for record in chains} <= {"finished", "failed"}
    assert all(record.reason for record in chains if record.status == "failed")
    assert (refused is None) == any(record.transitions > SETTINGS["tune"] for record in chains)


def test_a_chain_that_somebody_stopped_has_failed_by_name_and_the_others_finish():
    async def hold(function, **_):
        await trio.sleep(0.01)
        return function()

    async def main():
        async with open_run(schools(), **SETTINGS, block_size=FixedBlocks(), runner=hold) as run:
            run.supervisor.child("engine", "chains", "chain 0", "actor").exit(sv.Shutdown("by a stranger"))
            await run.result()
            return run.statistics(), run.supervisor

    statistics, _ = virtual(main)
    assert [chain.status for chain in statistics.chains] == ["failed", "finished", "finished"]


@pytest.mark.parametrize("transition", [0, 9, 30])
def test_a_chain_that_gave_up_before_a_lesson_is_left_out_and_the_others_learn_without_it(poison, transition):
    poison(1, transition)
    seen = virtual(lambda: observe())
    assert [chain.status for chain in seen.statistics.chains] == ["finished", "failed", "finished"]
    assert len(np.unique(seen.tree.sample_stats["step_size"].values)) == 1


def test_a_chain_that_is_stopped_while_the_others_wait_for_it_is_waited_for_no_longer():
    class Slowly:
        async def __call__(self, function, **_):
            await trio.sleep(0.01)
            return function()

    async def stop_at_once(run):
        run.supervisor.child("engine", "chains", "chain 2", "actor").exit(sv.Shutdown("by a stranger"))

    seen = virtual(lambda: observe(stop_at_once, runner=Slowly()))
    assert [chain.status for chain in seen.statistics.chains] == ["finished", "finished", "failed"]


def test_killing_an_ended_chain_is_no_error_and_an_unknown_one_is():
    async def main():
        async with open_run(schools(), **SETTINGS, block_size=FixedBlocks(), runner=inline) as run:
            await run.result()
            assert not await run.kill_chain(0)
            with pytest.raises(ex.SettingsError, match="no chain 3: give a number from 0 to 2"):
                await run.kill_chain(3)

    virtual(main)


def test_a_model_server_that_dies_is_no_evidence_against_the_chains(undisturbed):
    async def kill_the_server_often(run):
        for _ in range(3):
            run.supervisor.child("engine", "model server").exit(sv.KILL)
            await trio.testing.wait_all_tasks_blocked()

    async def hold(function, **_):
        await trio.sleep(0.001)
        return function()

    seen = virtual(lambda: observe(kill_the_server_often, save_warmup=True, runner=hold))
    assert draws_of(seen.tree) == undisturbed


def test_a_model_server_that_cannot_be_healed_is_why_the_chains_have_ended():
    class Poisoned(FixedBlocks):
        def choose(self, chain, at_most):
            raise FloatingPointError("the poison of this test")

    async def main():
        async with open_run(schools(), **SETTINGS, block_size=Poisoned(), runner=inline) as run:
            await run.result()

    with pytest.raises(ex.RunFailed, match=r"child 'model server': .* FloatingPointError\('the poison of"):
        virtual(main)


def test_a_tree_that_cannot_hold_ends_the_run_with_a_sentence():
    async def main():
        async with open_run(schools(), **SETTINGS, block_size=FixedBlocks(), runner=inline) as run:
            while True:
                run.supervisor.child("engine").exit(sv.KILL)
                await trio.lowlevel.checkpoint()

    with pytest.raises(ex.RunFailed, match=r"supervision tree gave up.*'engine'"):
        virtual(main)
