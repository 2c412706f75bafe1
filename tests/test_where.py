"""What cannot be computed in worker processes is refused in a sentence, before a process is started."""

import jax
import jax.numpy as jnp
import pytest
import trio

import exmc_actors as ex
from exmc_actors import where
from exmc_actors.errors import SettingsError
from tests.runtime.conftest import schools


def refusal(model, **options):
    async def main():
        async with ex.open_run(model, **({"workers": "process"} | options)):
            raise AssertionError("it was opened")

    with pytest.raises(SettingsError) as refused:
        trio.run(main)
    return str(refused.value)


def with_custom():
    b = ex.Builder()
    b.rv("x", ex.Custom(lambda x: -0.5 * x**2))
    return b.model()


def test_a_function_is_refused():
    said = refusal(ex.LogDensity(lambda x: -0.5 * jnp.sum(x**2), [0.0]))
    assert "takes a Model or a Program" in said
    assert "<LogDensity of 1 numbers>" in said
    assert "workers='thread'" in said


def test_a_model_with_functions_of_ones_own_is_refused():
    said = refusal(with_custom())
    assert "sends the model as data" in said
    assert "is a function of your own" in said
    assert "workers='thread'" in said


def test_an_ensemble_is_refused():
    assert "leave out ensemble" in refusal(schools(), ensemble=True)


def test_a_gpu_is_refused_before_there_is_a_store(monkeypatch, tmp_path):
    monkeypatch.setattr(where, "default_platform", lambda: "gpu")
    store = tmp_path / "store"
    assert "JAX's device here is a 'gpu': set JAX_PLATFORMS=cpu" in refusal(schools(), store=store)
    assert not store.exists()


def test_a_gpu_is_refused_to_a_run_that_goes_on(monkeypatch, tmp_path):
    async def begin():
        async with ex.open_run(schools(), draws=10, tune=10, chains=1, store=tmp_path) as run:
            await run.wait_over()

    trio.run(begin)
    monkeypatch.setattr(where, "default_platform", lambda: "gpu")
    assert "JAX's device here is a 'gpu'" in refusal(None, resume=tmp_path, draws=20)


def test_a_host_that_told_jax_to_take_the_processors_may_have_worker_processes(monkeypatch):
    """Which it may have told it for its own thread alone."""

    def open_workers(*_):
        raise SettingsError("that is far enough.")

    monkeypatch.setattr(where, "open_workers", open_workers)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    with jax.default_device("cpu"):
        assert refusal(schools()) == "that is far enough."


def test_a_program_that_does_not_know_its_python_is_refused(monkeypatch):
    monkeypatch.setattr("sys.executable", "")
    assert "starts Python again" in refusal(schools())


@pytest.mark.parametrize("workers", ["threads", None, 2, True])
def test_another_kind_of_worker_is_refused(workers):
    assert "must be 'thread' or 'process'" in refusal(schools(), workers=workers)


@pytest.mark.parametrize("patience", [0, -1.0, "10 min", True, float("nan")])
def test_a_patience_that_is_no_positive_number_is_refused(patience):
    assert "positive number of seconds or None" in refusal(schools(), patience=patience)


def test_a_patience_for_threads_is_refused():
    assert "a thread cannot be ended" in refusal(schools(), workers="thread", patience=10)
