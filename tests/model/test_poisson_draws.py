"""Counts are Poisson's at any rate.

A right sampler fails each case with probability 1e-4; the seed is fixed.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import exmc_actors.model as ex
from exmc_actors.model.poisson_draws import draw_poisson

pytestmark = pytest.mark.usefixtures("exact")

DRAWS = 20_000
RATES = np.array([2e4, 1e5, 1e6, 8e6, 1e9, 1e12, 1e15])


def check_like_poisson(draws, rate):
    """Hold the mean and the spread within four standard errors, and that neighbouring counts occur."""
    z = (draws - rate) / np.sqrt(rate)
    assert abs(z.mean()) < 4.0 / np.sqrt(DRAWS)
    assert abs(z.std() - 1.0) < 4.0 / np.sqrt(2 * DRAWS)
    assert np.gcd.reduce(draws) == 1


@pytest.mark.slow
def test_counts_of_large_rates_have_poissons_mean_and_spread():
    draws = np.asarray(draw_poisson(jax.random.key(1), RATES, (DRAWS, RATES.size)))
    assert draws.dtype == np.int64
    for one, rate in zip(draws.T, RATES, strict=True):
        check_like_poisson(one, rate)


def test_large_counts_beside_a_few_leave_these_what_they_are_alone():
    rate = jnp.array([0.0, 3.0, 5e3, np.nan, 1e9])
    draws = draw_poisson(jax.random.key(2), rate, rate.shape)
    alone = jax.random.poisson(jax.random.key(2), rate.at[-1].set(0.0), rate.shape)
    assert (draws[:-1] == alone[:-1]).all()
    assert abs(draws[-1] - 1e9) < 6.0 * np.sqrt(1e9)


def test_counts_beyond_the_integers_are_the_largest_of_them():
    draws = draw_poisson(jax.random.key(3), jnp.array([1e20, np.inf]), (2,))
    assert (draws == np.iinfo(np.int64).max).all()


@pytest.mark.parametrize(
    "distribution",
    [
        ex.Poisson(8e6),
        pytest.param(ex.ZeroInflatedPoisson(1.0, 8e6), marks=pytest.mark.slow),
        pytest.param(ex.NegativeBinomial(8e6, 1e14), marks=pytest.mark.slow),
    ],
    ids=repr,
)
def test_distributions_made_of_poissons_have_their_spread(distribution):
    check_like_poisson(np.asarray(distribution.sample(jax.random.key(4), (DRAWS,))), 8e6)
