"""What users hold: statistics, results, what is kept, and a host whose settings stay as they were."""

import logging
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import trio
import trio.lowlevel

import exmc_actors as ex
from exmc_actors import result
from exmc_actors.opening import open_run
from exmc_actors.runtime import inline
from tests.runtime.conftest import SETTINGS, FixedBlocks, observe, schools, virtual


def test_statistics_are_those_of_the_committed_draws():
    seen = virtual(lambda: observe(save_warmup=True))
    for chain in seen.statistics.chains:
        stats = seen.tree.sample_stats.sel(chain=chain.chain)
        warmup = seen.tree.warmup_sample_stats.sel(chain=chain.chain)
        assert (chain.status, chain.phase, chain.index) == ("finished", "sample", SETTINGS["draws"])
        assert chain.gradients == int(stats.n_steps.sum() + warmup.n_steps.sum())
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
    assert set(virtual(lambda: observe(var_names=["tau"])).tree.posterior.data_vars) == {"tau"}
    with pytest.raises(ex.SettingsError, match=r"var_names has 'tua'.*Known: mu, tau, theta"):
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


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_sample_works_where_an_event_loop_is_running(loop):
    def work():
        with pytest.warns(ex.SamplingWarning):
            return ex.sample(schools(), draws=20, tune=20, chains=2, random_seed=1, progressbar=False)

    async def main():
        return work()

    if loop == "trio":
        tree = trio.run(main)
    else:
        import asyncio

        tree = asyncio.run(main())
    assert tree.posterior.sizes["draw"] == 20


def test_leaving_early_stops_everything():
    async def main():
        run_for_ever = open_run(schools(), draws=10**9, chains=2, random_seed=1, cores=2)
        async with run_for_ever as run, run.subscribe() as feed:
            await anext(feed)
        assert run.statistics().chains[0].status == "running"
        with pytest.raises(StopAsyncIteration):
            async with run.subscribe() as feed:
                await anext(feed)

    trio.run(main)


def test_the_loop_stays_awake_while_blocks_run_in_threads():
    async def main():
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await trio.lowlevel.checkpoint()
                ticks += 1

        async with trio.open_nursery() as nursery:
            nursery.start_soon(tick)
            async with open_run(schools(), draws=20_000, chains=2, random_seed=1) as run:
                await run.result()
            nursery.cancel_scope.cancel()
        return ticks

    assert trio.run(main) > 100


def test_sampling_leaves_jax_the_environment_and_logging_as_they_were():
    code = """
import logging, os
environment, handlers, level = dict(os.environ), list(logging.root.handlers), logging.root.level
import jax
before = dict(jax.config.values)
import exmc_actors as ex
b = ex.Builder()
mu = b.rv("mu", ex.Normal(0.0, 1.0))
b.obs("y", ex.Normal(mu, 1.0), [0.3])
tree = ex.sample(b.model(), draws=400, chains=2, random_seed=1, progressbar=False)
assert tree.posterior["mu"].dtype == "float64"
assert dict(jax.config.values) == before
assert dict(os.environ) == environment, set(os.environ.items()) ^ set(environment.items())
assert logging.root.handlers == handlers and logging.root.level == level
assert all(not logging.getLogger(name).handlers for name in ("supervision", "exmc_actors"))
import jax.numpy as jnp
assert jnp.ones(3).dtype == "float32"
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_a_backend_that_the_host_made_first_is_used_and_the_user_told_what_that_costs():
    """Newer versions of JAX fold without the flag: then there is nothing to tell."""
    code = """
import jax.numpy as jnp, warnings
jnp.ones(3).sum().block_until_ready()
import exmc_actors as ex
b = ex.Builder()
mu = b.rv("mu", ex.Normal(0.0, 1.0))
b.obs("y", ex.Normal(mu, 1.0), [0.3])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    tree = ex.sample(b.model(), draws=400, chains=2, random_seed=1, progressbar=False)
told = any("JAX was in use before exmc_actors" in str(w.message) for w in caught)
print(tree.attrs["folded"], int(told))
"""
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.split() in (["0", "1"], ["1", "0"])


@pytest.mark.parametrize(
    ("can_fold", "variable", "sentence"),
    [
        (True, None, "contains an operation that cannot be folded"),
        (False, "0", "EXMC_FOLD=0 is set"),
        (False, None, "JAX was in use before exmc_actors"),
    ],
)
def test_an_unfolded_program_is_explained_by_its_cause(monkeypatch, can_fold, variable, sentence):
    monkeypatch.setattr(result, "can_fold", lambda: can_fold)
    if variable is not None:
        monkeypatch.setenv("EXMC_FOLD", variable)
    tree = virtual(lambda: observe(draws=600, tune=200, target_accept=0.99)).tree
    tree.attrs["folded"] = 0
    with pytest.warns(ex.SamplingWarning, match=sentence):
        result.warn_about(tree, stacklevel=1)


def test_importing_makes_no_backend():
    code = "import exmc_actors as ex; ex.Builder, ex.sample, ex.open_run, ex.compile\n"
    code += "from jax._src import xla_bridge; assert not xla_bridge.backends_are_initialized()"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_host_may_have_hostile_settings_of_jax(monkeypatch):
    expected = virtual(lambda: observe()).tree.posterior["theta"].values
    with (
        jax.debug_nans(True),
        jax.numpy_rank_promotion("raise"),
        jax.numpy_dtype_promotion("strict"),
        jax.default_matmul_precision("bfloat16"),
        jax.threefry_partitionable(False),
    ):
        got = virtual(lambda: observe()).tree.posterior["theta"].values
    np.testing.assert_array_equal(got, expected)


def test_nothing_is_logged_by_a_run_that_nothing_disturbs(caplog):
    with caplog.at_level(logging.DEBUG, logger="supervision"):
        virtual(lambda: observe())
    assert [record for record in caplog.records if record.name.startswith(("supervision", "exmc"))] == []
