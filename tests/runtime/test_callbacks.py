"""A log density that calls Python computes in float64, or its user is told what to do."""

import os
import subprocess
import sys

import jax
import pytest

from exmc_actors.errors import ModelError
from exmc_actors.runtime.callbacks import calls_back, telling_of_callbacks

PROGRAM = """
import jax, jax.numpy as jnp, numpy as np, exmc_actors as ex

@jax.custom_jvp
def bowl(q):
    return jax.pure_callback(lambda q: -0.5 * np.dot(q, q), jax.ShapeDtypeStruct((), q.dtype), q)

bowl.defjvp(lambda at, along: (bowl(*at), -jnp.dot(at[0], along[0])))
try:
    tree = ex.sample(ex.LogDensity(bowl, np.zeros(2)), draws=50, chains=1, random_seed=1, progressbar=False)
    print(tree.posterior.sizes["draw"], "draws")
except ex.RunFailed as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flag", "said"), [("0", "call jax.config.update('jax_enable_x64'"), ("1", "50 draws")]
)
def test_a_log_density_that_calls_python_needs_a_host_in_float64(flag, said):
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"JAX_ENABLE_X64": flag},
    )
    assert said in ran.stdout


def test_other_errors_of_jax_are_left_as_they_are():
    error = jax.errors.JaxRuntimeError("INTERNAL: something else")
    with pytest.raises(jax.errors.JaxRuntimeError) as raised, telling_of_callbacks():
        raise error
    assert raised.value is error


def test_a_callback_in_float32_is_told_in_a_sentence():
    told = "Incorrect output dtype for return value #0: Expected: float64, Actual: float32"
    with pytest.raises(ModelError, match="calls back into Python"), telling_of_callbacks():
        raise jax.errors.JaxRuntimeError(told)


def test_a_program_that_calls_more_than_linear_algebra_may_call_python_and_so_may_one_without_a_text():
    assert calls_back(None)
    assert calls_back('custom-call(%x), custom_call_target="xla_ffi_python_cpu_callback", metadata={}')
    assert not calls_back('custom-call(%x), custom_call_target="lapack_dpotrf_ffi", op_name="callback"')
    assert not calls_back("fusion(%x)")
