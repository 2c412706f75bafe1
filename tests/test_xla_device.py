"""What blocks are called on computes in the thread that calls, and is no device of the host's."""

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from exmc_actors import xla
from exmc_actors.xla import device_for_calls


def own_share(device):
    """Return how much of a call's processor time is that of the thread that calls."""

    def laborious(x):
        return jax.lax.fori_loop(0, 10_000, lambda _, y: 0.5 * y + 1.0, x)

    with jax.default_device(device):
        example = np.ones(4096, np.float32)
        compiled = jax.jit(laborious).lower(example).compile()
        before = time.thread_time(), time.process_time()
        np.asarray(compiled(example))
        own, all_ = time.thread_time() - before[0], time.process_time() - before[1]
    return own / all_


def test_what_is_called_there_computes_in_the_thread_that_calls():
    assert own_share(device_for_calls(None)) > 0.5


def test_jaxs_own_device_computes_in_another_thread_for_the_most_part():
    # Where all cores are busy, one call in twenty is computed in the thread that calls there, too.
    assert np.median([own_share(jax.devices("cpu")[0]) for _ in range(9)]) < 0.5


def test_the_hosts_devices_and_arrays_stay_its_own():
    own = device_for_calls(None)
    assert own not in jax.devices()
    assert jnp.ones(3).devices() == {jax.devices()[0]}


def test_a_device_that_is_named_leads_to_the_one_of_its_number():
    named = jax.devices("cpu")[0]
    assert device_for_calls(named) is device_for_calls(None)
    assert device_for_calls(named).id == named.id


def test_any_other_device_stays_as_it_is():
    class Gpu:
        platform = "gpu"

    gpu = Gpu()
    assert device_for_calls(gpu) is gpu


@pytest.mark.parametrize("device", [None, "named"])
def test_blocks_run_on_jaxs_own_where_its_library_makes_no_other(monkeypatch, device):
    device = device and jax.devices("cpu")[0]
    monkeypatch.setattr(xla, "xla_client", object())
    monkeypatch.setattr(xla, "_calling_processors", xla._calling_processors.__wrapped__)
    assert device_for_calls(device) is device
