"""The user ends one chain: it keeps what it has, apart, and the others go on, whatever dies meanwhile."""

import numpy as np
import pytest
import trio

import exmc_actors as ex
import supervision as sv
from exmc_actors.messages import ChainFailed, ChainFinished, ChainStopped
from exmc_actors.opening import open_run
from exmc_actors.runtime import inline, rebuilt
from exmc_actors.runtime.journal import BlockEntry, Shelf, StoppedRecord, read
from tests.runtime.conftest import SETTINGS, FixedBlocks, after_commits, draws_of, observe, schools, virtual

SAMPLING = 9
"""Commits after which a chain has kept draws."""


@pytest.fixture(scope="module")
def whole(nothing_is_gathered):
    return virtual(lambda: observe()).tree


async def stop(run):
    assert await run.stop_chain(1)


def stopped_after(commits, meddle=None, **options):
    """Run to the end, but for chain 1, which is stopped after so many commits."""

    async def act(run):
        if meddle is not None:
            await run.pause()
            await meddle(run)
        assert await run.stop_chain(1)
        assert not await run.stop_chain(1)
        await run.resume()

    return virtual(lambda: observe(after_commits(1, commits, act), **options))


def is_beginning(values, of):
    return values.tobytes() == of[: len(values)].tobytes()


@pytest.mark.parametrize("commits", [SAMPLING, 11, 14])
@pytest.mark.parametrize("is_stored", [False, True])
def test_what_a_stopped_chain_has_is_apart_and_the_others_are_what_they_would_have_been(
    commits, is_stored, whole, tmp_path
):
    seen = stopped_after(commits, store=tmp_path if is_stored else None)
    tree = seen.tree
    assert list(tree.posterior.chain.values) == [0, 2]
    for name, values in tree.posterior.data_vars.items():
        assert values.values.tobytes() == whole.posterior[name].values[[0, 2]].tobytes()
    assert list(tree.unfinished_posterior.chain.values) == [1]
    assert 0 < tree.unfinished_posterior.sizes["draw"] < SETTINGS["draws"]
    assert is_beginning(tree.unfinished_posterior["theta"].values[0], whole.posterior["theta"].values[1])
    assert is_beginning(tree.unfinished_sample_stats["lp"].values[0], whole.sample_stats["lp"].values[1])
    assert tree.attrs["stopped_chains"] == [1]
    assert "failed_reasons" not in tree.attrs
    assert [chain.status for chain in seen.statistics.chains] == ["finished", "stopped", "finished"]
    assert seen.statistics.chains[1].restarts == 0
    ends = [m for m in seen.messages if isinstance(m, ChainFinished | ChainFailed | ChainStopped)]
    assert [m for m in ends if m.chain == 1] == [
        ChainStopped(1, "sample", tree.unfinished_posterior.sizes["draw"])
    ]
    if is_stored:
        loaded = ex.load(tmp_path)
        assert draws_of(loaded) == draws_of(tree)
        assert loaded.attrs["stopped_chains"] == [1]


async def kill_recorder(run):
    run.supervisor.child("engine", "recorder").exit(sv.KILL)


async def kill_model_server(run):
    run.supervisor.child("engine", "model server").exit(sv.KILL)


async def kill_engine(run):
    run.supervisor.child("engine").exit(sv.KILL)


async def kill_chain(run):
    await run.kill_chain(1)


async def wait(run):
    await trio.sleep(60)


@pytest.mark.parametrize("meddle", [kill_recorder, kill_model_server, kill_engine, kill_chain, wait])
def test_a_chain_is_stopped_while_actors_die(meddle, whole):
    tree = stopped_after(11, meddle).tree
    assert list(tree.posterior.chain.values) == [0, 2]
    assert tree.posterior["theta"].values.tobytes() == whole.posterior["theta"].values[[0, 2]].tobytes()
    assert is_beginning(tree.unfinished_posterior["mu"].values[0], whole.posterior["mu"].values[1])


@pytest.mark.parametrize("after", [kill_recorder, kill_model_server, kill_engine])
def test_a_stopped_chain_stays_so_when_its_actors_are_started_again(after):
    async def act(run):
        assert await run.stop_chain(1)
        place = run.statistics().chains[1].index
        await after(run)
        await trio.sleep(1)
        assert run.statistics().chains[1].index == place
        assert run.statistics().chains[1].status == "stopped"

    seen = virtual(lambda: observe(after_commits(1, 11, act)))
    assert len([m for m in seen.messages if isinstance(m, ChainStopped)]) == 1


class Stuck(FixedBlocks):
    """Blocks of one chain never end, from a transition on."""

    def __init__(self, chain, transition):
        super().__init__()
        self.stuck = chain, transition

    async def __call__(self, function, **_):
        await trio.lowlevel.checkpoint()
        if getattr(getattr(function, "func", None), "__name__", "") == "_compute":
            for request in function.args[0]:
                is_there = request.state is not None and request.state.transitions >= self.stuck[1]
                if request.chain == self.stuck[0] and is_there:
                    await trio.sleep_forever()
        return function()


async def stuck_at(transition, meddle=None, **options):
    """Run until chain 1 is stuck and all others wait or have ended; stop it."""
    blocks = Stuck(1, transition)
    options = {"model": schools(), **SETTINGS, "cores": 3} | options
    async with open_run(**options, block_size=blocks, runner=blocks) as run:
        await trio.sleep(100)
        before = [chain.index for chain in run.statistics().chains]
        if meddle is not None:
            await meddle(run)
        await stop(run)
        return before, await run.result()


def test_the_others_wait_no_longer_for_a_chain_that_is_stuck_in_warmup():
    before, tree = virtual(lambda: stuck_at(5))
    assert before[0] == before[2] < SETTINGS["tune"]
    assert list(tree.posterior.chain.values) == [0, 2]
    assert tree.posterior.sizes["draw"] == SETTINGS["draws"]
    assert "unfinished_posterior" not in tree
    assert tree.attrs["stopped_chains"] == [1]


@pytest.mark.parametrize("meddle", [kill_recorder, kill_engine])
def test_draws_follow_from_the_lesson_at_which_a_chain_was_missing(meddle):
    _, tree = virtual(lambda: stuck_at(12))
    _, again = virtual(lambda: stuck_at(12, meddle))
    _, earlier = virtual(lambda: stuck_at(5))
    assert draws_of(again) == draws_of(tree)
    assert draws_of(earlier) != draws_of(tree)


@pytest.mark.parametrize("transition", [12, 60])
def test_a_stopped_chain_in_a_store_stays_so_and_the_others_go_on_to_the_same_bits(transition, tmp_path):
    _, tree = virtual(lambda: stuck_at(transition))

    async def first():
        blocks = Stuck(1, transition)
        async with open_run(
            schools(), **SETTINGS, cores=3, store=tmp_path, block_size=blocks, runner=blocks
        ) as run:
            await trio.sleep(100)
            await run.pause()
            await stop(run)

    async def second(**options):
        async with open_run(resume=tmp_path, runner=inline, **options) as run:
            return await run.result()

    virtual(first)
    assert draws_of(virtual(second)) == draws_of(tree)
    longer = virtual(lambda: second(draws=80))
    assert list(longer.posterior.chain.values) == [0, 2]
    assert longer.attrs["stopped_chains"] == [1]


def test_blocks_of_its_warmup_that_are_lost_are_made_again_and_of_later_ones_not(tmp_path):
    stopped_after(11, store=tmp_path)
    kept = read(tmp_path)
    (stopped,) = [record for record in kept.records if isinstance(record, StoppedRecord)]
    assert stopped.transitions > SETTINGS["tune"] + 7

    def rebuilt_up_to(transitions):
        def is_there(record):
            is_of_it = isinstance(record, BlockEntry) and record.chain == 1
            return not is_of_it or record.transitions < transitions

        return rebuilt(kept.head, filter(is_there, kept.records), Shelf(tmp_path)).chains[1]

    assert rebuilt_up_to(100).transitions == stopped.transitions
    later = rebuilt_up_to(SETTINGS["tune"] + 1)
    assert SETTINGS["tune"] < later.transitions < stopped.transitions
    assert (later.status, later.was_stopped) == ("stopped", True)
    sooner = rebuilt_up_to(20)
    assert sooner.transitions < SETTINGS["tune"]
    assert (sooner.status, sooner.was_stopped) == ("running", False)


def test_where_every_chain_is_stopped_they_are_the_result(whole):
    async def main():
        async with open_run(schools(), **SETTINGS, block_size=FixedBlocks(), runner=inline) as run:
            await after_commits(2, 11, lambda run: run.pause())(run)
            for chain in range(3):
                await run.stop_chain(chain)
            return await run.result()

    tree = virtual(main)
    assert list(tree.posterior.chain.values) == [0, 1, 2]
    kept = tree.posterior.sizes["draw"]
    assert 0 < kept < SETTINGS["draws"]
    assert tree.posterior["mu"].values.tobytes() == whole.posterior["mu"].values[:, :kept].tobytes()
    assert tree.attrs["stopped_chains"] == [0, 1, 2]


def test_a_run_with_a_stopped_chain_can_be_aborted(whole):
    async def main():
        async with open_run(schools(), **SETTINGS, block_size=FixedBlocks(), runner=inline) as run:
            await after_commits(1, 4, stop)(run)
            await after_commits(2, 13, lambda run: run.abort())(run)
            return await run.result()

    tree = virtual(main)
    assert list(tree.posterior.chain.values) == [0, 2]
    assert np.isfinite(tree.posterior["mu"].values).all()


def test_rules_are_judged_without_a_chain_that_was_stopped():
    async def main():
        options = SETTINGS | {"draws": 1000}
        rule = ex.MaxDivergences(10**6) | ex.Converged(rhat=1.5, ess=50)
        async with open_run(
            schools(), **options, stop=rule, block_size=FixedBlocks((50,)), runner=inline
        ) as run:
            await stop(run)
            return await run.result()

    tree = virtual(main)
    assert "converged" in tree.attrs["stopped"]
    assert list(tree.posterior.chain.values) == [0, 2]


def test_there_is_nothing_to_stop_in_a_run_that_has_ended_and_no_chain_of_another_number():
    async def main():
        async with open_run(schools(), **SETTINGS, block_size=FixedBlocks(), runner=inline) as run:
            with pytest.raises(ex.SettingsError, match="this run has no chain 3: give a number from 0 to 2"):
                await run.stop_chain(3)
            await stop(run)
            tree = await run.result()
            assert list(tree.posterior.chain.values) == [0, 2]
            assert not await run.stop_chain(0)
            assert not await run.stop_chain(1)

    virtual(main)
