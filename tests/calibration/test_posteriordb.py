"""Posterior means and standard deviations agree with posteriordb's reference draws.

Each posterior is sampled until bulk, tail and squared values of every parameter are worth 4,000 draws; then
every mean and standard deviation is within four standard errors of the reference, both Monte Carlo errors
combined.  What fails is sampled again with ten times the draws and the same seed, and must then agree.
"""

import json
import os
import runpy
from pathlib import Path

import numpy as np
import pytest
from arviz_stats.base.array import array_stats

import exmc_actors as ex

FOLDER = os.environ.get("EXMC_POSTERIORDB")
MODELS = Path(__file__).parents[2] / "benchmarks" / "posteriordb"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::exmc_actors.SamplingWarning"),  # the checks here are sharper
    pytest.mark.skipif(not FOLDER, reason="EXMC_POSTERIORDB names no folder of reference posteriors"),
]

ENOUGH = 4000
STANDARD_ERRORS = 4.0
RHAT = 1.01
SEEDS = [1, 2, 3]


def load(name):
    return json.loads((Path(FOLDER) / f"{name}.json").read_text())


def model_and_starts(posterior, function):
    """Return the model that a file of the benchmarks makes of a posterior's data, and its start values."""
    program, data = runpy.run_path(str(MODELS / f"{posterior.replace('-', '_')}.py")), load(posterior)["data"]
    return program[function](data), program["initvals"](data) if "initvals" in program else None


POSTERIORS = [
    ("earnings-logearn_height", "model"),
    ("eight_schools-eight_schools_noncentered", "model"),
    ("eight_schools-eight_schools_noncentered", "model_by_hand"),
    ("garch-garch11", "model"),
    ("gp_pois_regr-gp_regr", "model"),
    ("kidiq-kidscore_momiq", "model"),
    ("kilpisjarvi_mod-kilpisjarvi", "model"),
    ("kilpisjarvi_mod-kilpisjarvi", "model_moved"),
    ("low_dim_gauss_mix-low_dim_gauss_mix", "model"),
    ("mesquite-logmesquite_logvolume", "model"),
    ("nes1992-nes", "model"),
    ("sblrc-blr", "model"),
]


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


def sample_until_worth(model, names, seed, draws, starts=None):
    kept = {"var_names": _variables(names), "initvals": starts, "progressbar": False}
    while True:
        tree = ex.sample(model, draws=draws, random_seed=seed, **kept)
        found = draws_by_reference_name(tree, names)
        if min(min(worth(x)) for x in found.values()) >= ENOUGH:
            return found
        draws *= 2
        assert draws <= 2_000_000, "this posterior does not mix"


def _variables(names):
    return sorted({name.partition("[")[0] for name in names})


def distances(found, reference):
    """Return, by description, how far each mean and sd is from the reference, in standard errors of both."""
    far = {}
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
            far[f"{what} of {name}: {value} for {target}, {z:+.2f} standard errors"] = abs(z)
    return far


def rhats(found):
    return {f"R-hat of {name}": float(array_stats.rhat(x)) for name, x in found.items()}


def disagreements(found, reference):
    """Return what lies further from the reference than the errors of both allow, and what has not mixed."""
    wrong = [text for text, far in distances(found, reference).items() if not far <= STANDARD_ERRORS]
    return wrong + [f"{text}: {rhat}" for text, rhat in rhats(found).items() if not rhat < RHAT]


def note(measured, found, reference, when=""):
    far = distances(found, reference).values()
    measured(
        f"largest of {len(far)} deviations{when}, in standard errors", max(far), f"< {STANDARD_ERRORS:g}"
    )
    measured(f"largest R-hat{when}", max(rhats(found).values()), f"< {RHAT}")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("posterior", "function"), POSTERIORS)
def test_moments_agree_with_the_reference(posterior, function, seed, measured):
    """378 comparisons at four standard errors: under a right sampler, one seed in 42 has some sampled again.

    The cases are the posterior, the function in `benchmarks/posteriordb` that writes its model, and the seed.
    """
    model, starts = model_and_starts(posterior, function)
    reference = load(posterior)["reference"]
    found = sample_until_worth(model, list(reference), seed, 4000, starts)
    note(measured, found, reference)
    wrong = disagreements(found, reference)
    if wrong:
        length = next(iter(found.values())).shape[1]
        found = sample_until_worth(model, list(reference), seed, 10 * length, starts)
        note(measured, found, reference, " at ten times the draws")
        wrong = disagreements(found, reference)
    assert not wrong, "\n".join(wrong)


def test_every_posterior_of_the_folder_is_looked_at():
    assert {path.stem for path in Path(FOLDER).glob("*.json")} == {posterior for posterior, _ in POSTERIORS}


def test_a_wrong_posterior_is_told_from_the_right_one(measured):
    """The check can fail: a prior twice as wide moves tau by far more than four standard errors."""
    content = load("eight_schools-eight_schools_noncentered")
    b = ex.Builder()
    mu = b.rv("mu", ex.Normal(0.0, 5.0))
    tau = b.rv("tau", ex.HalfCauchy(10.0))
    theta = b.rv("theta", ex.Normal(mu, tau), shape=8)
    b.obs("y", ex.Normal(theta, content["data"]["sigma"]), content["data"]["y"])
    found = sample_until_worth(b.model(), list(content["reference"]), 1, draws=20_000)
    far = distances(found, content["reference"])
    of_tau = max(deviation for text, deviation in far.items() if " of tau: " in text)
    measured("deviation of the mean or the sd of tau, in standard errors", of_tau, f"> {STANDARD_ERRORS:g}")
    assert of_tau > STANDARD_ERRORS
