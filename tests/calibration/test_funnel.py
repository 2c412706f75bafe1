"""The tail of a funnel, where a step of one length cannot go: WALNUTS has it, within errors that are stated.

Ten dimensions: v is normal with a standard deviation of 3, and given v nine numbers are normal with variance
exp(v) (Neal 2003, *Slice sampling*, section 8, centred).  Each figure is compared with its exact value, in
units of its Monte Carlo error, which ArviZ's effective sample size gives.  With too few effective draws a
comparison would pass whatever the sampler does, so it must not pass at all.
"""

import jax.numpy as jnp
import numpy as np
import pytest
from arviz_stats.base.array import array_stats
from scipy import stats

import exmc_actors as ex

pytestmark = pytest.mark.filterwarnings("ignore::exmc_actors.SamplingWarning")

SD = 3.0
ERRORS = 4.0
TO_BE_SEEN = {"mean of v": 0.25 * SD, "mean of v²": 0.25 * SD**2}
"""A comparison counts if a deviation of this size, for tails of half of what is there, would fail it."""


def funnel(q):
    return -0.5 * (q[0] / SD) ** 2 - 4.5 * q[0] - 0.5 * jnp.sum(q[1:] ** 2) * jnp.exp(-q[0])


def drawn(kernel, draws):
    tree = ex.sample(
        ex.LogDensity(funnel, np.zeros(10)),
        draws=draws,
        kernel=kernel,
        random_seed=31,
        progressbar=False,
    )
    return tree.posterior["x"].values[..., 0]


def deviations(v):
    """Return, by name, how far figures of v are from the truth in standard errors.

    Fails as inconclusive where the errors are too large for that to mean anything.
    """
    figures = {
        "mean of v": (v, 0.0, SD),
        "mean of v²": (v**2, SD**2, np.sqrt(2.0) * SD**2),
        "P(v < -3)": _below(v, -3.0),
        "P(v < -6)": _below(v, -6.0),
        "P(v > 6)": _below(-v, -6.0),
    }
    found = {}
    for name, (values, truth, spread) in figures.items():
        effective = float(array_stats.ess(values, chain_axis=0, draw_axis=1, method="mean"))
        error = spread / np.sqrt(effective)
        seen, wanted = ERRORS * error, TO_BE_SEEN.get(name, 0.5 * truth)
        if not seen <= wanted:
            pytest.fail(
                f"INCONCLUSIVE: {name} has {effective:.0f} effective draws, so that deviations from "
                f"{seen:.2g} on would be seen; those from {wanted:.2g} on have to be."
            )
        found[name] = (values.mean() - truth) / error
    return found


def _below(v, bound):
    truth = stats.norm.cdf(bound / SD)
    # By the exact spread: a sampler that was never there would report none.
    return (v < bound).astype(float), truth, np.sqrt(truth * (1.0 - truth))


@pytest.mark.slow
def test_walnuts_has_the_tail_of_the_funnel(measured):
    """Five figures at four standard errors: a right sampler fails with one seed in 3,000."""
    found = deviations(drawn(ex.Walnuts(), 60_000))
    for name, deviation in found.items():
        measured(f"deviation of {name}, in standard errors", deviation, f"between -{ERRORS:g} and {ERRORS:g}")
    assert max(np.abs(list(found.values()))) < ERRORS, found


def independent(draws, seed=5, mean=0.0):
    return np.random.default_rng(seed).normal(mean, SD, (4, draws))


def test_independent_draws_pass_and_a_missing_tail_does_not():
    v = independent(5000)
    assert max(np.abs(list(deviations(v).values()))) < ERRORS
    without = np.where(v < -5.0, v + 3.0, v)
    assert abs(deviations(without)["P(v < -6)"]) > ERRORS
    assert abs(deviations(independent(5000, mean=0.5))["mean of v"]) > ERRORS


def test_too_few_draws_are_inconclusive_and_not_a_pass():
    with pytest.raises(pytest.fail.Exception, match=r"^INCONCLUSIVE: P\(v < -6\) has .* effective draws"):
        deviations(independent(300))
    # A chain that hardly moves has many draws, and few that are worth anything.
    slow = np.repeat(independent(50), 100, axis=1)
    with pytest.raises(pytest.fail.Exception, match=r"^INCONCLUSIVE: mean"):
        deviations(slow)
