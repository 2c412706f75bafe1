"""Online estimates against those of ArviZ, whatever the draws."""

import numpy as np
import pytest
from arviz_stats.base.array import array_stats

from exmc_actors.diagnostics.online import Online
from exmc_actors.diagnostics.online.summary import COLUMNS
from tests.diagnostics.online.conftest import block_of, online_of

AXES = {"chain_axis": 1, "draw_axis": 2}


def check_against_offline(draws, names=slice(None)):
    """Hold a summary of draws of shape (quantity, chain, draw) against ArviZ."""
    summary = online_of(draws).summary()
    flat = draws.reshape(len(draws), -1)
    np.testing.assert_allclose(summary.mean, flat.mean(axis=1), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(summary.sd, flat.std(axis=1, ddof=1), rtol=1e-9)
    np.testing.assert_allclose(summary.r_hat, array_stats.rhat(draws, method="split", **AXES), atol=0.005)
    for level, found in ((0.05, summary.q5), (0.5, summary.q50), (0.95, summary.q95)):
        error = array_stats.mcse(draws, method="quantile", prob=level, **AXES)
        assert (np.abs(found - np.quantile(flat, level, axis=1)) <= 3.0 * error).all()
    ratio = summary.ess / array_stats.ess(draws, method="mean", **AXES)
    assert 0.85 < np.exp(np.log(ratio).mean()) < 1.18
    np.testing.assert_allclose(summary.mcse_mean, summary.sd / np.sqrt(summary.ess), rtol=1e-12)


@pytest.mark.parametrize("length", [1000, 4321])
@pytest.mark.parametrize("correlation", [-0.3, 0.0, 0.8])
def test_autoregressive_chains_of_any_scale(autoregressive, correlation, length):
    draws = autoregressive(40, 4, length, correlation=correlation)
    check_against_offline(draws * np.geomspace(1e-6, 1e6, 40)[:, None, None] + 1e5)


def test_heavy_tails(autoregressive):
    draws = autoregressive(40, 4, 3000, correlation=0.3)
    check_against_offline(np.sinh(2.0 * draws))


def test_numbers_that_are_large_and_differ_little(autoregressive):
    draws = 1e9 + 1e-3 * autoregressive(3, 4, 2000, correlation=0.0)
    summary = online_of(draws).summary()
    exact = np.array([np.std(one - 1e9, ddof=1) for one in draws])
    np.testing.assert_allclose(summary.sd, exact, rtol=1e-9)


def test_booleans_and_counts():
    rng = np.random.default_rng(2)
    draws = np.stack([rng.random((4, 2000)) < 0.1, rng.poisson(5.0, (4, 2000))]).astype(float)
    summary = online_of(draws).summary()
    ratio = summary.ess / array_stats.ess(draws, method="mean", **AXES)
    assert (np.abs(np.log(ratio)) < 0.5).all()
    np.testing.assert_array_equal(summary.q5, [0.0, 2.0])
    np.testing.assert_array_equal(summary.q95, [1.0, 9.0])
    as_bool = online_of(draws[:1].astype(bool)).summary()
    np.testing.assert_array_equal(as_bool.mean, summary.mean[:1])


def test_what_does_not_vary():
    summary = online_of(np.full((1, 4, 700), 0.1)).summary()
    assert summary["x[0]"] == pytest.approx(
        {
            "mean": 0.1,
            "sd": 0.0,
            "q5": 0.1,
            "q50": 0.1,
            "q95": 0.1,
            "mcse_mean": 0.0,
            "ess": 2800.0,
            "r_hat": np.nan,
        },
        abs=0.0,
        nan_ok=True,
    )


def test_draws_that_are_not_finite_make_their_own_quantity_unknown_and_no_other(autoregressive):
    draws = autoregressive(3, 2, 1000, correlation=0.0)
    whole = online_of(draws).summary()
    draws[0, 1, 300], draws[2, 0, 0] = np.nan, np.inf
    summary = online_of(draws).summary()
    for column in COLUMNS:
        assert np.isnan(getattr(summary, column)[[0, 2]]).all(), column
        assert getattr(summary, column)[1] == getattr(whole, column)[1]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_the_middle_draw_of_an_odd_number_is_no_exception(autoregressive, value):
    draws = autoregressive(1, 2, 101, correlation=0.3)
    draws[0, 0, 50] = value
    assert all(np.isnan(number) for number in online_of(draws).summary()["x[0]"].values())


def test_variables_without_elements_have_no_rows():
    online = Online(1)
    online.observe(block_of(0, 0, np.zeros((300, 0))))
    summary = online.summary()
    assert (summary.names, summary.draws.tolist(), summary.r_hat.shape) == ((), [300], (0,))


def test_e_bfmi_is_of_each_chain():
    from exmc_actors.diagnostics.checks import e_bfmi

    energy = np.random.default_rng(1).normal(size=(2, 400)).cumsum(axis=1)
    online = Online(2)
    for chain in (0, 1):
        for first in (0, 150):
            some = energy[chain, first : first + (150 if first == 0 else 250)]
            online.observe(block_of(chain, first, np.zeros((len(some), 1)), energy=some))
    np.testing.assert_allclose(online.summary().e_bfmi, e_bfmi(energy), rtol=1e-9)


def test_a_summary_without_such_a_name_says_so():
    with pytest.raises(KeyError, match="nu"):
        online_of(np.zeros((1, 1, 9))).summary()["nu"]
