"""The default warmup comes to where regressions on data in their own units are, from wherever it starts."""

import numpy as np
import pytest

import exmc_actors as ex
from exmc_actors.diagnostics.convergence import convergence

SEEDS = range(12)


def heights():
    """Earnings by heights in inches: an intercept 66 inches away from the data, flat priors."""
    rng = np.random.default_rng(1)
    height = rng.normal(66.6, 3.8, 1200)
    b = ex.Builder()
    beta = b.rv("beta", ex.Flat(), shape=2)
    sigma = b.rv("sigma", ex.HalfFlat())
    earnings = 5.8 + 0.06 * height + rng.normal(0.0, 0.9, 1200)
    b.obs("earnings", ex.Normal(beta[0] + beta[1] * height, sigma), earnings)
    return b.model()


def large_columns():
    """Columns of hundreds, whose coefficients are known to a thousandth, under a prior of scale 10."""
    rng = np.random.default_rng(2)
    x = 200.0 * rng.normal(size=(100, 5))
    b = ex.Builder()
    beta = b.rv("beta", ex.Normal(0.0, 10.0), shape=5)
    sigma = b.rv("sigma", ex.HalfNormal(10.0))
    b.obs("y", ex.Normal(ex.math.dot(x, beta), sigma), x @ np.ones(5) + rng.normal(size=100))
    return b.model()


def years():
    """A line over years, whose intercept lies two thousand years away from the data."""
    rng = np.random.default_rng(3)
    year = np.arange(1952.0, 2014.0)
    b = ex.Builder()
    alpha, beta = b.rv("alpha", ex.Normal(9.3, 100.0)), b.rv("beta", ex.Normal(0.0, 0.03))
    sigma = b.rv("sigma", ex.HalfFlat())
    b.obs("summer", ex.Normal(alpha + beta * year, sigma), 9.3 + rng.normal(0.0, 1.1, len(year)))
    return b.model()


@pytest.mark.filterwarnings("ignore::exmc_actors.SamplingWarning")  # the check here is sharper
@pytest.mark.parametrize("make", [heights, large_columns, years])
def test_every_run_converges(make):
    program = ex.compile(make())
    worst = {}
    for seed in SEEDS:
        tree = ex.sample(program, random_seed=seed, progressbar=False)
        free = [tree.posterior[place.name].values for place in program.layout.places]
        quantities = np.concatenate([one.reshape(*one.shape[:2], -1) for one in free], axis=2)
        worst[seed] = float(convergence(np.moveaxis(quantities, 2, 0)).r_hat.max())
    assert max(worst.values()) < 1.01, worst
