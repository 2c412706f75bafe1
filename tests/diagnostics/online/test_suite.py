"""Online against offline at 4 chains of 10,000 draws of the benchmark's models, with stated tolerances.

R-hat within 0.005 of ArviZ's split R-hat, and of its rank-normalised one where all chains have mixed; the
geometric mean of the ratios of effective sample sizes within 0.85 and 1.18; quantiles within three of their
own standard errors.  That batch means agree to rounding with those of all draws is in ``test_batch_means``.
"""

import runpy
from pathlib import Path

import numpy as np
import pytest
from arviz_stats.base.array import array_stats

import exmc_actors as ex
from exmc_actors.diagnostics.quantities import chosen_variables, posterior_of, quantities
from tests.diagnostics.online.conftest import online_of

SUITE = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "suite.py"))
AXES = {"chain_axis": 1, "draw_axis": 2}


def sampled(name):
    model = SUITE["MODELS"][name](**SUITE["DATA"][name]())
    tree = ex.sample(model, draws=10_000, chains=4, random_seed=1, progressbar=False)
    posterior = posterior_of(tree)
    return np.concatenate([one.draws for one in quantities(posterior, chosen_variables(posterior, None))])


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.filterwarnings("ignore::exmc_actors.errors.SamplingWarning")
def test_summaries_of_the_suite_are_those_of_arviz():
    by_mean, by_bulk = [], []
    for name in SUITE["MODELS"]:
        draws = sampled(name)
        summary = online_of(draws, (500,)).summary()
        for method in ("split", "rank"):
            exact = array_stats.rhat(draws, method=method, **AXES)
            assert np.abs(summary.r_hat - exact).max() < 0.005, (name, method)
        flat = draws.reshape(len(draws), -1)
        for level, found in ((0.05, summary.q5), (0.5, summary.q50), (0.95, summary.q95)):
            error = array_stats.mcse(draws, method="quantile", prob=level, **AXES)
            assert (np.abs(found - np.quantile(flat, level, axis=1)) < 3.0 * error).all(), (name, level)
        np.testing.assert_allclose(summary.mean, flat.mean(axis=1), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(summary.sd, flat.std(axis=1, ddof=1), rtol=1e-9)
        by_mean.extend(summary.ess / array_stats.ess(draws, method="mean", **AXES))
        by_bulk.extend(summary.ess / array_stats.ess(draws, method="bulk", **AXES))
    for ratios in (by_mean, by_bulk):
        assert 0.85 < np.exp(np.mean(np.log(ratios))) < 1.18
