"""Sums of links against mpmath, tile by tile."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from exmc_actors.errors import ModelError
from exmc_actors.model import OPERATIONS
from exmc_actors.model.link_sums import exp_sum, softplus_sum
from exmc_actors.xla import precise

EDGES = np.r_[0.0, -0.0, 5e-324, -1e-300, 1e-17, -1e-8, 0.5, -1.0, 36.0, -37.0, 700.0, -745.0]


def exactly(x):
    with mpmath.workdps(40):
        powers = [mpmath.exp(mpmath.mpf(one)) for one in x.tolist()]
        softplus = float(sum(mpmath.log1p(power) for power in powers))
        return (
            softplus,
            [float(power / (1 + power)) for power in powers],
            float(sum(powers)),
            list(map(float, powers)),
        )


@pytest.mark.parametrize("length", [0, 1, 63, 127, 128, 129, 255, 256, 257, 400, 960, 961, 2100])
def test_sums_and_slopes_are_exact_at_every_length(length):
    x = np.random.default_rng(length).normal(scale=20.0, size=length)
    x[: EDGES.size] = EDGES[:length]
    softplus, odds, exponentials, powers = exactly(x)
    with precise():
        for function, total, slopes in ((softplus_sum, softplus, odds), (exp_sum, exponentials, powers)):
            value, slope = jax.value_and_grad(lambda z, function=function: 3.0 * function(z))(x)
            np.testing.assert_allclose(value, 3.0 * total, rtol=1e-14)
            np.testing.assert_allclose(slope, 3.0 * np.asarray(slopes), rtol=4e-15, atol=1e-300)


@pytest.mark.parametrize("length", [100, 400, 2100])
def test_nothing_is_lost_of_rows_that_are_all_but_certain(length):
    x = np.linspace(-300.0, -40.0, length)
    with precise():
        np.testing.assert_allclose(softplus_sum(x), exactly(x)[0], rtol=1e-14)


@pytest.mark.parametrize("length", [100, 70_000])
@pytest.mark.parametrize(("entry", "softplus", "power"), [(np.nan,) * 3, (np.inf,) * 3, (-np.inf, 0.0, 0.0)])
def test_an_entry_that_is_not_finite_counts_for_what_it_is(length, entry, softplus, power):
    x = np.zeros(length)
    x[length // 3] = entry
    with precise():
        got = softplus_sum(x), exp_sum(x)
    rest = length - 1
    np.testing.assert_allclose(got, [rest * np.log(2.0) + softplus, rest + power], rtol=1e-12)


@pytest.mark.parametrize("function", [softplus_sum, exp_sum])
def test_slopes_have_slopes_by_either_way(function):
    x = np.linspace(-2.0, 2.0, 1100)
    powers = np.exp(x)
    wanted = powers / (1.0 + powers) ** 2 if function is softplus_sum else powers

    def slopes(z):
        return jax.grad(function)(z).sum()

    with precise():
        np.testing.assert_allclose(jax.grad(slopes)(x), wanted, rtol=1e-13)
        np.testing.assert_allclose(jax.jvp(slopes, (x,), (np.ones_like(x),))[1], wanted.sum(), rtol=1e-13)


def test_sums_in_single_precision_do_not_overflow():
    np.testing.assert_allclose(softplus_sum(jnp.zeros(1500, np.float32)), 1500 * np.log(2.0), rtol=1e-5)


@pytest.mark.parametrize("operation", ["softplus_sum", "exp_sum"])
def test_a_matrix_is_refused(operation):
    with pytest.raises(ModelError, match=r"the sum of a link takes a vector, got shape \(2, 3\)"):
        OPERATIONS[operation].shape([(2, 3)])
