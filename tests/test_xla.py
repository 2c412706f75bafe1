"""JAX is set up once, within the process's own flags, and every setting of the host's stays its own."""

import os
import subprocess
import sys
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from exmc_actors import xla
from exmc_actors.xla import (
    calling,
    can_fold,
    compiler_options,
    import_aside,
    is_folded,
    precise,
    prepare,
    surroundings,
)

MINE = "--xla_cpu_enable_fast_math=false"


def dtype():
    return jnp.ones(3).dtype.name


@pytest.fixture
def seen(monkeypatch):
    """Return the XLA_FLAGS that stood whenever JAX was asked to make its backends, in a fresh process."""
    flags = []
    monkeypatch.setattr(xla, "_prepared", False)
    monkeypatch.setattr(jax, "devices", lambda: flags.append(os.environ.get("XLA_FLAGS")))
    monkeypatch.delenv("EXMC_FOLD", raising=False)
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    return flags


def test_the_flag_stands_while_backends_are_made_and_at_no_other_time(seen):
    prepare()
    assert seen == [xla._FOLD_FLAG]
    assert "XLA_FLAGS" not in os.environ


@pytest.mark.parametrize("before", [MINE, ""])
def test_flags_of_the_users_own_are_in_force_and_stay(seen, monkeypatch, before):
    monkeypatch.setenv("XLA_FLAGS", before)
    prepare()
    assert seen[0].split() == [*before.split(), xla._FOLD_FLAG]
    assert os.environ["XLA_FLAGS"] == before


@pytest.mark.parametrize("before", [None, MINE])
def test_flags_are_restored_where_no_backend_could_be_made_and_the_next_call_tries_again(
    seen, monkeypatch, before
):
    if before is not None:
        monkeypatch.setenv("XLA_FLAGS", before)

    def broken():
        raise RuntimeError("no device")

    with monkeypatch.context() as without:
        without.setattr(jax, "devices", broken)
        with pytest.raises(RuntimeError, match="no device"):
            prepare()
    assert os.environ.get("XLA_FLAGS") == before
    prepare()
    assert len(seen) == 1


def test_only_the_first_call_prepares(seen):
    prepare()
    prepare()
    assert len(seen) == 1


@pytest.mark.parametrize("before", [None, MINE])
def test_opting_out_leaves_jax_unflagged(before):
    code = """
import os, jax
devices = jax.devices
jax.devices = lambda: print(os.environ.get("XLA_FLAGS")) or devices()
from exmc_actors.xla import prepare
prepare()
print(os.environ.get("XLA_FLAGS"))
"""
    environment = os.environ | {"EXMC_FOLD": "0"}
    environment.pop("XLA_FLAGS", None)
    if before is not None:
        environment["XLA_FLAGS"] = before
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines() == [str(before)] * 2


def test_flags_of_the_users_own_and_folding_work_together():
    code = """
import jax
from exmc_actors.xla import can_fold
print(can_fold(), len(jax.devices("cpu")))
"""
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=3"}
    environment.pop("EXMC_FOLD", None)
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["True", "3"]


def test_loops_fold_in_the_process_of_the_tests():
    assert can_fold()


@pytest.mark.parametrize("setting", ["debug_nans", "debug_infs"])
def test_a_call_may_return_what_is_no_number_whatever_the_host_looks_for(setting):
    with precise():
        compiled = jax.jit(lambda x: jnp.stack([x * jnp.nan, x * jnp.inf])).lower(np.float64(1.0)).compile()
    with getattr(jax, setting)(True), calling():
        not_a_number, infinite = np.asarray(compiled(np.float64(1.0)))
    assert np.isnan(not_a_number)
    assert np.isinf(infinite)


def test_what_decides_compiled_code_is_described_alike_until_some_of_it_changes(monkeypatch):
    described = surroundings()
    assert surroundings() == described
    changes = [
        lambda patch: patch.setenv("XLA_FLAGS", MINE),
        lambda patch: patch.setattr(jax, "__version__", "0.0.0"),
        lambda patch: patch.setattr(os, "cpu_count", lambda: 1000),
        lambda patch: patch.setattr(xla, "_folds", lambda: False),
    ]
    others = set()
    for change in changes:
        with monkeypatch.context() as patch:
            change(patch)
            others.add(surroundings())
    try:
        jax.config.update("jax_disable_most_optimizations", True)
        others.add(surroundings())
    finally:
        jax.config.update("jax_disable_most_optimizations", False)
    assert len(others - {described}) == len(changes) + 1
    assert surroundings() == described


def test_numbers_are_float64_inside_and_float32_outside():
    assert dtype() == "float32"
    with precise():
        assert dtype() == "float64"
    assert dtype() == "float32"


def test_nests():
    with precise():
        with precise():
            assert dtype() == "float64"
        assert dtype() == "float64"
    assert dtype() == "float32"


def test_an_exception_inside_leaves_the_host_as_it_was():
    with pytest.raises(ValueError, match="boom"), precise():
        raise ValueError("boom")
    assert dtype() == "float32"


def test_another_thread_is_not_affected_in_either_direction():
    seen = {}

    def work():
        seen["before"] = dtype()
        with precise():
            seen["inside"] = dtype()
            inside.set()
            assert go_on.wait(60)

    inside, go_on = threading.Event(), threading.Event()
    thread = threading.Thread(target=work)
    with precise():
        thread.start()
        assert inside.wait(60)
    seen["here"] = dtype()
    go_on.set()
    thread.join()
    assert seen == {"before": "float32", "inside": "float64", "here": "float32"}


def test_settings_of_the_host_that_would_change_bits_are_out_of_force_inside_and_back_afterwards():
    key = jax.random.key_data(jax.random.key(1))
    with jax.default_prng_impl("rbg"), jax.threefry_partitionable(False), jax.debug_nans(True):
        with precise():
            assert jnp.array_equal(jax.random.key_data(jax.random.key(1)), key)
            assert jax.config.jax_threefry_partitionable
            assert jnp.isnan(jnp.log(-jnp.ones(1)))
        assert jax.random.key_data(jax.random.key(1)).shape == (4,)
        with pytest.raises(FloatingPointError):
            jnp.log(-jnp.ones(1))


@pytest.mark.parametrize("host", [False, True])
def test_a_module_that_sets_the_64_bit_mode_is_imported_without_the_host_noticing(
    tmp_path, monkeypatch, host
):
    (tmp_path / f"sets_mode_{host}.py").write_text("import jax\njax.config.update('jax_enable_x64', True)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with jax.enable_x64(host):
        import_aside(f"sets_mode_{host}")
        assert dtype() == ("float64" if host else "float32")
    assert f"sets_mode_{host}" in sys.modules
    assert dtype() == "float32"


def test_a_loop_over_long_sums_folds():
    """XLA gives sums of so many numbers to a library, unless it is told not to."""
    with precise():
        loop = jax.jit(
            lambda x, count: jax.lax.fori_loop(0, count, lambda _, y: y + jnp.sum(jnp.exp(y), axis=0), x)
        )
        compiled = loop.lower(jnp.zeros((500, 64)), 1).compile(compiler_options=compiler_options())
    assert is_folded(compiled.as_text())


def test_a_version_that_does_not_know_the_option_compiles_without_it(monkeypatch):
    monkeypatch.setattr(xla, "_WITHOUT_YNN", {"xla_cpu_that_never_was": ""})
    assert compiler_options.__wrapped__() == {}


def test_a_compiler_that_fails_otherwise_is_heard(monkeypatch):
    def fail(*_, **__):
        raise jax.errors.JaxRuntimeError("out of memory")

    monkeypatch.setattr(jax.stages.Lowered, "compile", fail)
    with pytest.raises(jax.errors.JaxRuntimeError, match="out of memory"):
        compiler_options.__wrapped__()


def test_draws_that_are_summed_where_they_are_made_have_no_missing_values():
    """In JAX 0.12 the library that XLA calls for sums leaves a few values unwritten, others in each run."""

    def draw(key, scale):
        drawn, scales = scale * jax.random.normal(key, (3, 5)), jnp.broadcast_to(scale, (3, 5))
        squares = jnp.square(scales / jnp.max(jnp.abs(scales), axis=-1, keepdims=True))
        shares = squares / jnp.sum(squares, axis=-1, keepdims=True)
        return drawn - shares * jnp.sum(drawn, axis=-1, keepdims=True)

    with precise():
        many = jax.jit(jax.vmap(draw), compiler_options=compiler_options())
        keys, scales = jax.random.split(jax.random.key(0), 20_000), jnp.linspace(0.1, 2.0, 20_000)
        assert not any(bool(jnp.isnan(many(keys, scales)).any()) for _ in range(10))
