"""What users hold: statistics, results, what is kept, and what others may see of it."""

import contextlib
from collections import Counter
from dataclasses import dataclass, field

import jax.numpy as jnp
import numpy as np
import pytest
import trio

import exmc_actors as ex
from exmc_actors.opening import open_run
from exmc_actors.runtime import inline
from tests.runtime.conftest import SETTINGS, FixedBlocks, draws_of, observe, schools, virtual


def test_statistics_are_those_of_the_committed_draws():
    seen = virtual(lambda: observe(save_warmup=True))
    for chain in seen.statistics.chains:
        stats = seen.tree.sample_stats.sel(chain=chain.chain)
        warmup = seen.tree.warmup_sample_stats.sel(chain=chain.chain)
        assert (chain.status, chain.phase, chain.index) == ("finished", "sample", SETTINGS["draws"])
        assert chain.steps == int(stats.n_steps.sum() + warmup.n_steps.sum())
        assert chain.divergences == int(stats.diverging.sum())
        assert chain.step_size == float(stats.step_size[-1])


def test_the_result_follows_arviz_and_stays_callable():
    async def main():
        async with open_run(schools(), **SETTINGS, runner=inline, block_size=FixedBlocks()) as run:
            first = await run.result()
            assert await run.result() is first
            return first

    tree = virtual(main)
    assert set(tree.children) == {"posterior", "sample_stats", "observed_data"}
    assert tree.posterior["theta"].dims == ("chain", "draw", "theta_dim_0")
    assert tree.posterior["theta"].shape == (3, 60, 8)
    assert tree.sample_stats["diverging"].dtype == bool
    assert list(tree.observed_data["y"].values) == [28, 8, -3, 7, -1, 1, 18, 12]
    assert tree.attrs["random_seed"] == SETTINGS["random_seed"]


def test_only_the_chosen_variables_are_kept_and_an_unknown_one_is_refused():
    for chosen in (["tau"], "tau"):
        assert set(virtual(lambda chosen=chosen: observe(var_names=chosen)).tree.posterior.data_vars) == {
            "tau"
        }
    with pytest.raises(ex.SettingsError, match=r"var_names: unknown variable 'tua': did you mean 'tau'"):
        virtual(lambda: observe(var_names=["tua"]))


def test_log_density_and_energy_in_the_statistics_are_those_of_the_draws():
    seen = virtual(lambda: observe(chains=1))
    program = ex.compile(schools())
    for draw in (0, 17, 59):
        values = {name: array.values[0, draw] for name, array in seen.tree.posterior.data_vars.items()}
        lp = seen.tree.sample_stats["lp"].values[0, draw]
        assert program.log_density(program.unconstrain(values)) == pytest.approx(lp, rel=1e-9)
        assert seen.tree.sample_stats["energy"].values[0, draw] > -lp


def test_something_that_is_no_model_is_refused_with_what_to_write():
    with pytest.raises(ex.SettingsError, match=r"a Model, a Program or a LogDensity can be sampled, got 3"):
        ex.sample(3, progressbar=False)


def test_a_plain_log_density_is_sampled():
    target = ex.LogDensity(lambda q: -0.5 * jnp.dot(q, q), np.zeros(3))
    tree = ex.sample(target, draws=2000, chains=2, random_seed=3, progressbar=False)
    assert abs(float(tree.posterior["x"].mean())) < 0.1
    assert float(tree.posterior["x"].std()) == pytest.approx(1.0, abs=0.1)


def test_a_program_is_sampled_like_its_model():
    settings = {"draws": 50, "tune": 50, "chains": 1, "random_seed": 2, "progressbar": False}
    with pytest.warns(ex.SamplingWarning):
        a = ex.sample(schools(), **settings)
    with pytest.warns(ex.SamplingWarning):
        b = ex.sample(ex.compile(schools()), **settings)
    np.testing.assert_array_equal(a.posterior["theta"].values, b.posterior["theta"].values)


def test_leaving_early_stops_everything_and_says_so():
    async def main():
        run_for_ever = open_run(schools(), draws=10**9, chains=2, random_seed=1, cores=2)
        async with run_for_ever as run, run.subscribe() as feed:
            await anext(feed)
            assert run.statistics().chains[0].status == "running"
            assert run.statistics().chains[0].draws_per_second >= 0
        statistics = run.statistics()
        assert {chain.status for chain in statistics.chains} == {"stopped"}
        await trio.sleep(0.01)
        assert run.statistics().elapsed == statistics.elapsed
        with pytest.raises(StopAsyncIteration):
            async with run.subscribe() as feed:
                await anext(feed)

    trio.run(main)


def test_what_is_committed_so_far_can_be_looked_at_while_the_run_goes_on():
    async def main():
        async with open_run(schools(), **SETTINGS, runner=inline, block_size=FixedBlocks()) as run:
            with pytest.raises(ex.RunFailed, match="not every chain has a kept draw yet"):
                run.committed_result()
            async with run.subscribe(from_start=True) as feed:
                async for message in feed:
                    if isinstance(message, ex.DrawBlock) and message.phase == "sample" and message.first > 30:
                        break
            partly = run.committed_result()
            whole = await run.result()
        length = partly.posterior.sizes["draw"]
        assert length > 0
        np.testing.assert_array_equal(partly.posterior["mu"].values, whole.posterior["mu"].values[:, :length])

    virtual(main)


def test_a_subscriber_that_reads_one_message_and_no_more_holds_nobody_up():
    async def main():
        async with (
            open_run(schools(), **SETTINGS, runner=inline, block_size=FixedBlocks((1,))) as run,
            run.subscribe(capacity=1) as feed,
        ):
            async for _ in feed:
                break
            return await run.result()

    assert virtual(main).posterior.sizes["draw"] == SETTINGS["draws"]


async def slow_to_leave(subscribe):
    """Keep a run that is left from ending its tree, chains and all, for a second."""
    try:
        await trio.sleep_forever()
    finally:
        with trio.CancelScope(shield=True):
            await trio.sleep(1)


async def taking_time(function, **_):
    await trio.sleep(0.01)
    return function()


@dataclass
class Counted(FixedBlocks):
    """Count each chain's blocks as they begin."""

    begun: Counter = field(default_factory=Counter)

    def choose(self, chain, at_most):
        self.begun[chain] += 1
        return super().choose(chain, at_most)


@pytest.mark.parametrize("is_raised", [False, True])
@pytest.mark.parametrize("heard", [1, 5, 30])
def test_a_chain_begins_no_block_of_a_run_that_is_left_but_the_one_that_it_has_asked_for(heard, is_raised):
    blocks = Counted()

    async def main():
        options = SETTINGS | {"draws": 10**6, "runner": taking_time, "block_size": blocks}
        async with open_run(schools(), **options, views=[slow_to_leave]) as run, run.subscribe() as feed:
            for _ in range(heard):
                await anext(feed)
            before.update(blocks.begun)
            if is_raised:
                raise KeyError("of the host's own")

    before = Counter()
    with pytest.raises(KeyError) if is_raised else contextlib.nullcontext():
        virtual(main)
    assert set((blocks.begun - before).values()) <= {1}


def test_what_is_committed_while_a_run_is_left_is_seen_and_kept_alike():
    async def main():
        seen = []

        async def listen(run, is_listening):
            async with run.subscribe(overflow=ex.WAIT, from_start=True) as feed:
                is_listening.set()
                seen.extend([message async for message in feed])

        async with trio.open_nursery() as nursery:
            settings = SETTINGS | {"draws": 10**6}
            async with open_run(
                schools(), **settings, runner=taking_time, block_size=FixedBlocks(), views=[slow_to_leave]
            ) as run:
                is_listening = trio.Event()
                nursery.start_soon(listen, run, is_listening)
                await is_listening.wait()
                await trio.sleep(1)
        return seen, run

    seen, run = virtual(main)
    length = run.committed_result().posterior.sizes["draw"]
    kept = [
        sum(len(m) for m in seen if isinstance(m, ex.DrawBlock) and (m.chain, m.phase) == (chain, "sample"))
        for chain in range(SETTINGS["chains"])
    ]
    assert min(kept) == length
    assert run.statistics().chains[0].index == kept[0]


def test_nothing_to_keep_is_refused_before_anything_starts():
    with pytest.raises(ex.SettingsError, match="var_names is empty"):
        virtual(lambda: observe(var_names=[]))


def test_a_warmup_too_short_to_learn_from_leaves_the_first_step_size():
    """The first moves of dual averaging go to ten times the first step size: one of them would stay."""

    def step_sizes(tune):
        stats = virtual(lambda: observe(draws=20, tune=tune)).tree.sample_stats
        return stats["step_size"].values

    first = step_sizes(0)
    for tune in (1, 2, 9):
        np.testing.assert_array_equal(step_sizes(tune), first)
    assert not np.array_equal(step_sizes(10), first)


def test_the_cause_that_is_named_is_what_was_raised_and_not_what_lay_behind_it():
    def broken(q):
        try:
            {}["inner"]
        except KeyError as error:
            raise ValueError("the outer sentence") from error

    with pytest.raises(ex.RunFailed, match="could not be started: ValueError: the outer sentence"):
        virtual(lambda: observe(model=ex.LogDensity(broken, np.zeros(2))))


def test_restarts_are_in_the_attributes_of_the_result():
    async def kill(run):
        await run.kill_chain(1)

    assert virtual(lambda: observe(kill)).tree.attrs["chain_restarts"] == [0, 1, 0]


def test_a_view_is_given_a_moment_to_show_the_end_and_no_more():
    shown = []

    async def slow_at_the_end(subscribe):
        async with subscribe() as feed:
            async for _ in feed:
                pass
        await trio.sleep(0.5)
        shown.append("the end")
        await trio.sleep(100)
        shown.append("never")

    seen = virtual(lambda: observe(views=[slow_at_the_end]))
    assert shown == ["the end"]
    assert seen.tree is not None


def test_a_hostile_subscriber_cannot_change_what_others_see(undisturbed):
    async def hostile(subscribe):
        async with subscribe() as feed:
            async for message in feed:
                if isinstance(message, ex.DrawBlock):
                    for mapping in (message.draws, message.stats):
                        with pytest.raises(TypeError):
                            mapping["theta"] = 0
                        with pytest.raises(ValueError, match="read-only"):
                            next(iter(mapping.values()))[...] = 0
                    seen.append(message)

    seen = []
    tree = virtual(lambda: observe(save_warmup=True, views=[hostile])).tree
    assert len(seen) > 10
    assert draws_of(tree) == undisturbed
