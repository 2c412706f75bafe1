"""Simulation-based calibration: the true parameter's rank among its posterior draws is uniform.

Parameters and data are simulated from the model, the data are sampled with the defaults, and each rank is
one uniform number.  Their empirical distribution function (ECDF) must stay in Kolmogorov's band: within one
distance of the diagonal, which uniform numbers keep everywhere at once but for a stated probability of error.

References:
  Talts, Betancourt, Simpson, Vehtari and Gelman (2018), *Validating Bayesian inference algorithms with
  simulation-based calibration*, arXiv 1804.06788.
  Modrák et al. (2023), *Simulation-based calibration checking for Bayesian computation: the choice of test
  quantities*: the log density of the data is a quantity, too.
"""

import numpy as np
import pytest
from scipy import stats

import exmc_actors as ex

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::exmc_actors.SamplingWarning")]

SIMULATIONS, KEPT = 250, 99
ERROR = 1e-4
"""Probability with which a right sampler leaves the band, for each of the 38 comparisons."""
BAND = stats.kstwo.isf(ERROR, SIMULATIONS)
"""Half the band's height."""
FARTHEST = "largest distance of an ECDF from the diagonal"


def groups(noise=1.0, centered=None):
    b = ex.Builder()
    mu = b.rv("mu", ex.Normal(0.0, 2.0))
    tau = b.rv("tau", ex.HalfNormal(1.0))
    theta = b.rv("theta", ex.Normal(mu, tau), shape=4, centered=centered)
    group = b.data("group", np.repeat(np.arange(4), 3))
    b.obs("y", ex.Normal(theta[group], noise), np.zeros(12))
    return b.model()


def logistic():
    x = np.random.default_rng(3).normal(size=(40, 3))
    b = ex.Builder()
    beta = b.rv("beta", ex.Normal(0.0, 1.5), shape=3)
    b.obs("y", ex.BernoulliLogit(b.data("x", x) @ beta), np.zeros(40, int))
    return b.model()


def counts():
    b = ex.Builder()
    rate = b.rv("rate", ex.Gamma(2.0, 1.0))
    spread = b.rv("spread", ex.LogNormal(0.0, 0.5))
    b.obs("y", ex.NegativeBinomial(rate, spread), np.zeros(15, int))
    return b.model()


def uniforms(simulated, assumed, *, kernel=None, draws=250):
    """Return, by quantity, one number a simulation that is uniform on [0, 1] if all is right."""
    prior = ex.sample_prior_predictive(simulated, draws=SIMULATIONS, random_seed=11)
    names = [str(name) for name in prior["prior"].data_vars if name in assumed.shapes]
    random, found = np.random.default_rng(5), {}
    for number in range(SIMULATIONS):
        y = prior["prior_predictive"]["y"].values[0, number]
        model = assumed.with_data(y=y)
        tree = ex.sample(model, draws=draws, kernel=kernel, random_seed=number, progressbar=False)
        tree = tree.isel(draw=slice(None, None, draws // 25))
        for name in names:
            truth = prior["prior"][name].values[0, number].reshape(-1)
            kept = tree["posterior"][name].values.reshape(4 * 25, -1)[:KEPT]
            below = (kept < truth).sum(axis=0)
            place = (below + random.uniform(size=truth.size)) / (KEPT + 1)
            for entry, u in enumerate(place):
                found.setdefault(f"{name}[{entry}]", []).append(u)
    return {name: np.array(values) for name, values in found.items()}


def farthest(found):
    """Return the ECDFs' largest distance from the diagonal, of the places and of how far these are from 1/2.

    The second sees posteriors that are too wide or too narrow.
    """
    tested = [tested for places in found.values() for tested in (places, np.abs(2.0 * places - 1.0))]
    return max(stats.kstest(places, "uniform").statistic for places in tested)


@pytest.mark.parametrize("make", [groups, logistic, counts])
def test_ranks_are_uniform(make, measured):
    """22 ECDFs, each in a band that uniform numbers leave with a probability of 1e-4."""
    distance = farthest(uniforms(make(), make()))
    measured(FARTHEST, distance, f"< {BAND:.3g}")
    assert distance < BAND


def centred_groups():
    return groups(centered=True)


@pytest.mark.parametrize("make", [centred_groups, counts])
def test_ranks_are_uniform_under_walnuts(make, measured):
    """16 ECDFs, in the same bands.  More draws, since they are worth less.

    The first posterior is a funnel where tau is small.
    """
    kernel = ex.Walnuts(max_error=0.5)
    distance = farthest(uniforms(make(), make(), kernel=kernel, draws=1000))
    measured(FARTHEST, distance, f"< {BAND:.3g}")
    assert distance < BAND


def test_a_model_that_is_a_little_wrong_is_seen(measured):
    """The data have a noise of 1, and the model says 1.6."""
    distance = farthest(uniforms(groups(), groups(noise=1.6)))
    measured(FARTHEST, distance, f"> {BAND:.3g}")
    assert distance > BAND
