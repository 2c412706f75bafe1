"""A host keeps its settings, its event loop and its threads, and a run does not depend on them."""

import contextlib
import logging
import subprocess
import sys
import threading

import jax
import numpy as np
import pytest
import trio

import exmc_actors as ex
from exmc_actors import opening, result
from exmc_actors.opening import open_run
from tests.runtime.conftest import SETTINGS, observe, schools, virtual


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


def test_a_host_that_holds_every_thread_of_trios_does_not_hold_up_a_run():
    async def main():
        limiter = trio.to_thread.current_default_thread_limiter()
        for holder in range(int(limiter.total_tokens)):
            limiter.acquire_on_behalf_of_nowait(holder)
        with trio.fail_after(60):
            async with open_run(schools(), **SETTINGS) as run:
                return await run.result()

    assert trio.run(main).posterior.sizes["draw"] == SETTINGS["draws"]


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
tree = ex.sample(b.model(), draws=2000, chains=2, random_seed=1, progressbar=False)
assert tree.posterior["mu"].dtype == "float64"
assert dict(jax.config.values) == before
assert dict(os.environ) == environment, set(os.environ.items()) ^ set(environment.items())
assert logging.root.handlers == handlers and logging.root.level == level
assert all(not logging.getLogger(name).handlers for name in ("supervision", "exmc_actors"))
import jax.numpy as jnp
assert jnp.ones(3).dtype == "float32"
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


@pytest.mark.slow
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
    if jax.__version_info__[:2] == (0, 10):
        assert ran.stdout.split() == ["0", "1"]
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


def test_the_backend_is_made_away_from_the_event_loop(monkeypatch):
    made = []
    monkeypatch.setattr(opening, "is_prepared", lambda: False)
    monkeypatch.setattr(opening, "prepare", lambda: made.append(threading.current_thread()))

    async def main():
        async with open_run(schools(), draws=5, tune=0, chains=1, random_seed=1) as run:
            await run.result()

    trio.run(main)
    assert len(made) == 1
    assert made[0] is not threading.current_thread()


class Left(Exception):
    """A run is left before anything is compiled."""


@pytest.mark.parametrize(
    ("device", "ensemble", "width"), [(None, None, 64), ("cpu", None, 0), (None, True, 64), ("cpu", True, 16)]
)
def test_the_default_device_of_the_hosts_thread_says_how_many_chains_advance_together(
    monkeypatch, device, ensemble, width
):
    """As on a machine with a GPU, which JAX takes unless it was told otherwise in the thread that asks."""
    widths = []

    def leave(parts):
        widths.append(parts.settings.ensemble_width)
        raise Left

    async def main():
        async with open_run(schools(), chains=64, ensemble=ensemble, parts=leave):
            pass

    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    with jax.default_device(device), pytest.raises(Left):
        trio.run(main)
    assert widths == [width]


HOSTILE = {
    "debug_nans": True,
    "debug_infs": True,
    "numpy_rank_promotion": "raise",
    "numpy_dtype_promotion": "strict",
    "default_matmul_precision": "bfloat16",
    "threefry_partitionable": False,
    "disable_jit": True,
    "transfer_guard": "disallow",
    "transfer_guard_host_to_device": "disallow",
}


@pytest.mark.parametrize("names", [*([name] for name in HOSTILE), list(HOSTILE)], ids="-".join)
def test_the_host_may_have_hostile_settings_of_jax(names):
    expected = virtual(lambda: observe()).tree.posterior["theta"].values
    with contextlib.ExitStack() as settings:
        for name in names:
            settings.enter_context(getattr(jax, name)(HOSTILE[name]))
        got = virtual(lambda: observe()).tree.posterior["theta"].values
    np.testing.assert_array_equal(got, expected)


def test_nothing_is_logged_by_a_run_that_nothing_disturbs(caplog):
    with caplog.at_level(logging.DEBUG, logger="supervision"):
        virtual(lambda: observe())
    assert [record for record in caplog.records if record.name.startswith(("supervision", "exmc"))] == []
