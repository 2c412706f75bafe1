"""Chains are added while a run goes on: no draw depends on when, and none of the others on whether."""

import numpy as np
import pytest
import trio

import exmc_actors as ex
import supervision as sv
from exmc_actors.messages import ChainAdded
from exmc_actors.opening import open_run
from exmc_actors.runtime import inline
from exmc_actors.runtime.journal import MOST_ADDED
from exmc_actors.runtime.protocol import Stand
from tests.runtime.conftest import (
    SETTINGS,
    FixedBlocks,
    added_after,
    after_commits,
    draws_of,
    observe,
    recorder_that_dies_at,
    schools,
    virtual,
)

FIRST = SETTINGS["chains"]
OPTIONS = {"save_warmup": True}


@pytest.fixture(scope="module")
def undisturbed(nothing_is_gathered):
    return virtual(lambda: observe(**OPTIONS)).tree


def test_the_first_chains_are_what_they_would_have_been_and_the_others_are_like_them(with_five, undisturbed):
    tree = with_five.tree
    assert list(tree.posterior.chain.values) == [0, 1, 2, 3, 4]
    for group in ("posterior", "sample_stats", "warmup_posterior"):
        for name, values in undisturbed[group].data_vars.items():
            assert tree[group][name].values[:FIRST].tobytes() == values.values.tobytes()
    assert len({values.tobytes() for values in tree.posterior["mu"].values}) == 5
    assert np.ptp(tree.sample_stats["step_size"].values[:, -1]) == 0.0  # they agree, and learn the same
    assert (tree.attrs["chains"], tree.attrs["added_chains"]) == (5, 2)
    assert [m.chain for m in with_five.messages if isinstance(m, ChainAdded)] == [3, 4]
    assert {chain.status for chain in with_five.statistics.chains} == {"finished"}


def test_a_recorder_that_dies_when_an_added_chain_asks_it_changes_no_bit(with_five):
    exchange, deaths = recorder_that_dies_at(Stand(FIRST))
    assert draws_of(added_after(0, parts=exchange).tree) == draws_of(with_five.tree)
    assert not deaths


@pytest.mark.parametrize("commits", [1, 2, 4, 6, 9, 14])
def test_the_draws_of_an_added_chain_do_not_depend_on_when_it_is_added(commits, with_five):
    assert draws_of(added_after(commits).tree) == draws_of(with_five.tree)


def test_a_chain_can_be_added_while_only_added_ones_are_left(with_five):
    async def main():
        async with open_run(schools(), **SETTINGS, **OPTIONS, runner=inline, block_size=FixedBlocks()) as run:
            await after_commits(1, 14, lambda run: run.pause())(run)
            await run.add_chains()
            run._feed.go_on("user")
            async with run.subscribe(overflow=ex.WAIT, capacity=1, chains=FIRST) as feed:
                while [c.status for c in run.statistics().chains] != ["finished"] * FIRST + ["running"]:
                    await anext(feed)
                await run.add_chains()
            return await run.result()

    assert draws_of(virtual(main)) == draws_of(with_five.tree)


async def kill(run, *path):
    run.supervisor.child(*path).exit(sv.KILL)
    await trio.sleep(1)


@pytest.mark.parametrize(
    "path",
    [
        ("engine", "recorder"),
        ("engine", "model server"),
        ("engine", "chains"),
        ("engine",),
        ("engine", "chains", "chain 3"),
        ("engine", "chains", "chain 4", "actor"),
    ],
)
def test_added_chains_are_started_again_as_the_others_are(path, with_five):
    tree = added_after(4, meddle=lambda run: kill(run, *path)).tree
    assert draws_of(tree) == draws_of(with_five.tree)


@pytest.mark.parametrize("path", [("engine", "recorder"), ("engine",)])
def test_a_chain_is_added_while_the_recorder_is_being_restarted(path, with_five):
    async def act(run):
        await run.pause()
        run.supervisor.child(*path).exit(sv.KILL)
        await run.add_chains(2)
        await run.resume()

    seen = virtual(lambda: observe(after_commits(1, 4, act), **OPTIONS))
    assert draws_of(seen.tree) == draws_of(with_five.tree)


def two_modes():
    b = ex.Builder()
    x = b.rv("x", ex.Flat(), shape=2)
    b.potential("wells", -2000.0 * ex.math.sum((ex.math.abs(x) - 3.0) ** 4))
    return b.model()


@pytest.mark.parametrize("commits", [1, 9])
def test_where_the_others_do_not_agree_an_added_chain_learns_by_itself(commits):
    runs = []

    async def note(run):
        runs.append(run)

    starts = [{"x": [3.0, 3.1]}, {"x": [-3.0, -3.1]}, {"x": [3.0, -3.1]}]
    options = {"model": two_modes(), "initvals": starts, "tune": 60, "meddle": note}
    tree = added_after(commits, **options).tree
    assert draws_of(tree) == draws_of(added_after(0, **options).tree)
    assert tree.posterior["x"].values[3, 0, 0] > 0 > tree.posterior["x"].values[4, 0, 0]  # as chains 0 and 1
    metrics = {record.state.metric.scale.tobytes() for record in runs[0]._log.chains}
    assert len(metrics) == 5


def test_what_was_added_late_does_not_shorten_an_aborted_run(undisturbed):
    async def main():
        async with open_run(schools(), **SETTINGS, runner=inline, block_size=FixedBlocks()) as run:
            await after_commits(1, 12, lambda run: run.pause())(run)
            await run.add_chains()
            await run.abort()
            return await run.result()

    tree = virtual(main)
    kept = tree.posterior.sizes["draw"]
    assert kept > 7
    assert list(tree.posterior.chain.values) == [0, 1, 2]
    assert tree.posterior["mu"].values.tobytes() == undisturbed.posterior["mu"].values[:, :kept].tobytes()
    assert tree.attrs["chain_lengths"][3] == 0


def test_a_rule_ends_a_run_where_it_would_have_ended_without_the_added_chains():
    async def main(number):
        rule = ex.Converged(rhat=1.2, ess=100)
        options = SETTINGS | {"draws": 2000}
        async with open_run(
            schools(), **options, stop=rule, runner=inline, block_size=FixedBlocks((50,))
        ) as run:
            if number:
                await run.add_chains(number)
            return await run.result()

    alone, more = virtual(lambda: main(0)), virtual(lambda: main(2))
    assert alone.posterior.sizes["draw"] == more.posterior.sizes["draw"] < 2000
    assert more.posterior["mu"].values[:FIRST].tobytes() == alone.posterior["mu"].values.tobytes()


def test_an_added_chain_can_be_killed_stopped_and_subscribed_to(with_five):
    async def act(run):
        assert await run.add_chains() == range(3, 4)
        async with run.subscribe(overflow=ex.WAIT, chains=3, capacity=1) as feed:
            await anext(feed)
            await run.kill_chain(3)
            await anext(feed)
            assert await run.stop_chain(3)

    seen = virtual(lambda: observe(after_commits(1, 1, act), **OPTIONS))
    assert seen.tree.attrs["stopped_chains"] == [3]
    assert list(seen.tree.posterior.chain.values) == [0, 1, 2]


@pytest.mark.parametrize("number", [0, -1, 1.5, True, "two"])
def test_what_is_no_number_of_chains_is_refused(number):
    async def main():
        async with open_run(schools(), **SETTINGS, runner=inline) as run:
            await run.add_chains(number)

    with pytest.raises(ex.SettingsError, match="add_chains takes a positive integer, got"):
        virtual(main)


def test_a_run_takes_no_more_chains_than_its_store_could_keep():
    async def main():
        async with open_run(schools(), **SETTINGS, runner=inline) as run:
            await run.add_chains(MOST_ADDED + 1)

    with pytest.raises(ex.SettingsError, match=f"can add {MOST_ADDED} more chains to this run, got"):
        virtual(main)


def test_a_run_that_is_over_takes_no_more_chains():
    async def main(end):
        async with open_run(schools(), **SETTINGS, runner=inline, block_size=FixedBlocks()) as run:
            await end(run)
            with pytest.raises(ex.SettingsError, match="the run is over, so that no chain can be added"):
                await run.add_chains()

    virtual(lambda: main(lambda run: run.result()))
    virtual(lambda: main(lambda run: run.abort()))
    virtual(lambda: main(lambda run: run.cancel()))
