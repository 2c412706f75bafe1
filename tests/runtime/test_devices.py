"""Blocks run on the device that the host chose, and processors compute them in the thread that calls."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import exmc_actors as ex
from exmc_actors.runtime import executables_for
from exmc_actors.xla import device_for_calls
from tests.runtime.conftest import observe, schools, virtual


def density(q):
    return -0.5 * jnp.dot(q, q)


def test_a_program_is_compiled_once_for_the_processors_that_compute_where_they_are_called():
    program = ex.compile(schools())
    executables = executables_for(program, 10)
    with jax.default_device(jax.devices("cpu")[0]):
        assert executables_for(program, 10) is executables
    arrays = jax.tree.leaves(executables.put(program.arguments))
    assert {device for array in arrays for device in array.devices()} == {device_for_calls(None)}


def test_the_hosts_default_device_is_part_of_a_programs_identity():
    target = ex.LogDensity(density, np.zeros(3))
    anywhere, device = executables_for(target, 10), jax.devices("cpu")[0]
    with jax.default_device(device):
        there = executables_for(target, 10)
        assert there is executables_for(target, 10)
    assert there is not anywhere
    assert executables_for(target, 10) is anywhere


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_function_of_the_users_own_may_name_a_device_of_jaxs():
    named = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    centre = jnp.arange(3.0)
    target = ex.LogDensity(
        jax.jit(lambda q: -0.5 * jnp.sum((q - centre) ** 2), in_shardings=named), np.zeros(3)
    )
    tree = ex.sample(target, draws=20, chains=1, random_seed=1, progressbar=False)
    assert tree.posterior.sizes["draw"] == 20


@pytest.mark.slow
def test_the_hosts_default_device_may_be_given_by_its_platform():
    with jax.default_device("cpu"):
        tree = virtual(lambda: observe(chains=2)).tree
    assert tree.attrs["device"] == "cpu:0"


@pytest.mark.slow
def test_blocks_run_on_the_default_device_of_the_hosts_thread_whichever_thread_they_run_in():
    code = """
import jax, jax.numpy as jnp, numpy as np
import exmc_actors as ex
with jax.default_device(jax.devices("cpu")[1]):
    target = ex.LogDensity(lambda q: -0.5 * jnp.dot(q, q), np.zeros(3))
    tree = ex.sample(target, draws=1000, chains=2, random_seed=1, progressbar=False)
print(tree.attrs["device"])
"""
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "cpu:1"
