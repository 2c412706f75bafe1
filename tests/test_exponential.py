"""The exponential of our own, over the whole line, against mpmath."""

import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from exmc_actors.exponential import exp
from exmc_actors.xla import precise

RNG = np.random.default_rng(3)
EDGES = [0.0, -0.0, 5e-324, -1e-300, 1e-17, -1e-8, 709.78, -708.39, np.log(2) / 2, -1.5 * np.log(2)]


def exactly(x):
    with mpmath.workdps(40):
        return np.array([float(mpmath.exp(mpmath.mpf(one))) for one in x.tolist()])


def test_it_is_right_to_a_unit_in_the_last_place():
    x = np.r_[EDGES, RNG.uniform(-708.3, 709.7, 2000), RNG.normal(size=2000)]
    with precise():
        got = np.asarray(exp(x))
    exact = exactly(x)
    assert np.all(np.abs(got - exact) <= np.spacing(exact))


def test_it_ends_in_zero_and_in_infinity():
    x = np.array([-np.inf, -1e9, -746.0, 709.8, 1e9, np.inf, np.nan])
    with precise():
        np.testing.assert_array_equal(exp(x), [0.0, 0.0, 0.0, np.inf, np.inf, np.inf, np.nan])


def test_the_smallest_numbers_are_those_of_the_machine_or_zero():
    """XLA's threads may take numbers below the normal ones for zero."""
    x = np.linspace(-745.0, -708.4, 50)
    with precise():
        got = np.asarray(exp(x))
    assert np.all((got == 0.0) | (np.abs(got - exactly(x)) <= np.spacing(exactly(x))))


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_others_than_doubles_are_left_to_jax(dtype):
    x = np.array([-1.0, 0.5, 3.0], dtype)
    np.testing.assert_array_equal(exp(jnp.asarray(x)), jnp.exp(x))
