"""Posterior means and standard deviations agree with posteriordb's reference draws.

Each posterior is sampled until bulk, tail and squared values of every parameter are worth 4,000 draws; then
every mean and standard deviation is within four standard errors of the reference, both Monte Carlo errors
combined.  What fails is sampled again with ten times the draws and the same seed, and must then agree.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from arviz_stats.base.array import array_stats

import exmc_actors as ex

FOLDER = os.environ.get("EXMC_POSTERIORDB")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::exmc_actors.SamplingWarning"),  # the checks here are sharper
    pytest.mark.skipif(not FOLDER, reason="EXMC_POSTERIORDB names no folder of reference posteriors"),
]

ENOUGH = 4000
STANDARD_ERRORS = 4.0
SEEDS = [1, 2, 3]


def load(name):
    return json.loads((Path(FOLDER) / f"{name}.json").read_text())


def array(values):
    return np.asarray(values, dtype=float)


def eight_schools_centred(data):
    b = ex.Builder()
    mu = b.rv("mu", ex.Normal(0.0, 5.0))
    tau = b.rv("tau", ex.HalfCauchy(5.0))
    theta = b.rv("theta", ex.Normal(mu, tau), shape=8)
    b.obs("y", ex.Normal(theta, array(data["sigma"])), array(data["y"]))
    return b.model()


def eight_schools_by_hand(data):
    b = ex.Builder()
    mu = b.rv("mu", ex.Normal(0.0, 5.0))
    tau = b.rv("tau", ex.HalfCauchy(5.0))
    z = b.rv("z", ex.Normal(0.0, 1.0), shape=8)
    theta = b.det("theta", mu + tau * z)
    b.obs("y", ex.Normal(theta, array(data["sigma"])), array(data["y"]))
    return b.model()


def kidiq(data):
    b = ex.Builder()
    beta = b.rv("beta", ex.Flat(), shape=2)
    sigma = b.rv("sigma", ex.HalfCauchy(2.5))
    b.obs("score", ex.Normal(beta[0] + beta[1] * array(data["mom_iq"]), sigma), array(data["kid_score"]))
    return b.model()


def earnings(data):
    b = ex.Builder()
    beta = b.rv("beta", ex.Flat(), shape=2)
    sigma = b.rv("sigma", ex.HalfFlat())
    mean = beta[0] + beta[1] * array(data["height"])
    b.obs("log_earn", ex.Normal(mean, sigma), np.log(array(data["earn"])))
    return b.model()


def blr(data):
    b = ex.Builder()
    beta = b.rv("beta", ex.Normal(0.0, 10.0), shape=5)
    sigma = b.rv("sigma", ex.HalfNormal(10.0))
    b.obs("y", ex.Normal(ex.math.dot(array(data["X"]), beta), sigma), array(data["y"]))
    return b.model()


POSTERIORS = {
    "eight schools, declared centred": ("eight_schools-eight_schools_noncentered", eight_schools_centred),
    "eight schools, non-centred by hand": ("eight_schools-eight_schools_noncentered", eight_schools_by_hand),
    "kidiq": ("kidiq-kidscore_momiq", kidiq),
    "earnings": ("earnings-logearn_height", earnings),
    "blr": ("sblrc-blr", blr),
}


def draws_by_reference_name(tree, names):
    """Return arrays (chain, draw) by names such as ``theta[1]``, which count from one."""
    found = {}
    for name in names:
        variable, _, index = name.rstrip("]").partition("[")
        values = tree.posterior[variable].values
        found[name] = values[..., int(index) - 1] if index else values
    return found


def worth(x):
    """Return the effective sample sizes that are asked for; the mean's and the squares' come last."""
    squares = (x - x.mean()) ** 2
    sizes = [
        array_stats.ess(x, method="bulk"),
        array_stats.ess(x, method="tail", prob=(0.05, 0.95)),
        array_stats.ess(x, method="mean"),
        array_stats.ess(squares, method="mean"),
    ]
    return [float(size) for size in sizes]


def sample_until_worth(model, names, seed, draws):
    while True:
        tree = ex.sample(model, draws=draws, random_seed=seed, var_names=_variables(names), progressbar=False)
        found = draws_by_reference_name(tree, names)
        if min(min(worth(x)) for x in found.values()) >= ENOUGH:
            return found
        draws *= 2
        assert draws <= 2_000_000, "this posterior does not mix"


def _variables(names):
    return sorted({name.partition("[")[0] for name in names})


def disagreements(found, reference):
    """Return what lies further from the reference than the errors of both allow."""
    wrong = []
    for name, x in found.items():
        expected = reference[name]
        _, _, of_mean, of_squares = worth(x)
        sd = x.std(ddof=1)
        squares = (x - x.mean()) ** 2
        error_of_sd = squares.std() / np.sqrt(of_squares) / (2 * sd)  # the delta method: fourth moments
        for what, value, error, target, target_error in [
            ("mean", x.mean(), sd / np.sqrt(of_mean), expected["mean"], expected["mcse_mean"]),
            ("sd", sd, error_of_sd, expected["sd"], expected["mcse_sd"]),
        ]:
            z = (value - target) / np.hypot(error, target_error)
            if abs(z) > STANDARD_ERRORS:
                wrong.append(f"{what} of {name}: {value} for {target}, {z:+.2f} standard errors")
        rhat = float(array_stats.rhat(x))
        if not rhat < 1.01:
            wrong.append(f"R-hat of {name}: {rhat}")
    return wrong


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("posterior", POSTERIORS)
def test_moments_agree_with_the_reference(posterior, seed):
    file, build = POSTERIORS[posterior]
    content = load(file)
    model, reference = build(content["data"]), content["reference"]
    found = sample_until_worth(model, list(reference), seed, draws=4000)
    wrong = disagreements(found, reference)
    if wrong:
        length = next(iter(found.values())).shape[1]
        found = sample_until_worth(model, list(reference), seed, draws=10 * length)
        wrong = disagreements(found, reference)
    assert not wrong, "\n".join(wrong)


def test_a_wrong_posterior_is_told_from_the_right_one():
    """The check can fail: a prior twice as wide moves tau by far more than four standard errors."""
    content = load("eight_schools-eight_schools_noncentered")
    b = ex.Builder()
    mu = b.rv("mu", ex.Normal(0.0, 5.0))
    tau = b.rv("tau", ex.HalfCauchy(10.0))
    theta = b.rv("theta", ex.Normal(mu, tau), shape=8)
    b.obs("y", ex.Normal(theta, array(content["data"]["sigma"])), array(content["data"]["y"]))
    found = sample_until_worth(b.model(), list(content["reference"]), 1, draws=20_000)
    assert any("tau" in line for line in disagreements(found, content["reference"]))
