"""Split R-hat from bins is ArviZ's of the draws: to rounding at first, later nearly so."""

import numpy as np
import pytest
from arviz_stats.base.array import array_stats

from exmc_actors.diagnostics.online import Online
from exmc_actors.diagnostics.ranks import split_chains
from exmc_actors.diagnostics.rhat import rhat
from tests.diagnostics.online.conftest import block_of, online_of

AXES = {"chain_axis": 1, "draw_axis": 2}


def of(draws):
    return online_of(draws).summary().r_hat


@pytest.mark.parametrize("length", [4, 5, 10, 11, 255])
@pytest.mark.parametrize("chains", [1, 3])
def test_it_is_exact_while_bins_have_one_draw(autoregressive, length, chains):
    draws = autoregressive(6, chains, length, correlation=0.7)
    np.testing.assert_allclose(of(draws), rhat(split_chains(draws)), rtol=1e-9)
    if chains > 1:
        np.testing.assert_allclose(of(draws), array_stats.rhat(draws, method="split", **AXES), rtol=1e-9)


@pytest.mark.parametrize("correlation", [0.0, 0.9, 0.99])
@pytest.mark.parametrize("length", [999, 10_000])
def test_it_is_within_five_thousandths_in_long_chains(autoregressive, correlation, length):
    draws = autoregressive(40, 4, length, correlation=correlation)
    exact = array_stats.rhat(draws, method="split", **AXES)
    assert np.abs(of(draws) - exact)[exact < 1.2].max() < 0.005
    assert np.abs(of(draws) / exact - 1.0).max() < 0.005


def test_chains_that_disagree_are_found(autoregressive):
    draws = autoregressive(2, 4, 3000, correlation=0.3)
    draws[1] += np.array([-3.0, -3.0, 3.0, 3.0])[:, np.newaxis]
    summary = online_of(draws).summary()
    exact = array_stats.rhat(draws, method="split", **AXES)
    np.testing.assert_allclose(summary.r_hat, exact, rtol=1e-3)
    assert summary.r_hat[1] > 2.0
    assert summary.ess[1] < 20.0
    assert summary.ess[0] > 3000.0


def with_a_short_one(draws, short):
    """Return a summary of chains as ``autoregressive`` makes them, and of a shorter one."""
    online = Online(draws.shape[1] + 1)
    for chain, values in enumerate([*np.moveaxis(draws, 1, 0), short[:, 0]]):
        online.observe(block_of(chain, 0, values.T))
    return online.summary()


@pytest.mark.parametrize("length", [20, 200])
@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_a_chain_that_has_just_begun_spoils_nothing(autoregressive, correlation, length):
    draws = autoregressive(40, 4, 5000, correlation=correlation)
    without = online_of(draws).summary()
    found = with_a_short_one(draws, autoregressive(40, 1, length, correlation=correlation, seed=2))
    assert np.abs(np.log(found.ess / without.ess)).mean() < 0.05
    assert (found.ess > 0.7 * without.ess).all()
    np.testing.assert_allclose(found.r_hat, without.r_hat, atol=0.005)


def test_a_shorter_chain_that_disagrees_is_found(autoregressive):
    draws = autoregressive(4, 4, 5000, correlation=0.5)
    found = with_a_short_one(draws, 5.0 + autoregressive(4, 1, 200, correlation=0.5, seed=2))
    assert (found.r_hat > 1.05).all()
    assert (found.ess < 500.0).all()


def test_chains_that_drift_are_found():
    draws = np.linspace(0.0, 1.0, 5000) + np.zeros((1, 4, 1))
    summary = online_of(draws).summary()
    assert summary.r_hat[0] > 1.5
    assert summary.ess[0] < 20.0


def test_halves_that_stand_still_apart_have_an_infinite_one_and_no_variation_has_none():
    draws = np.array([[0.1, 0.1, 0.7], [3.3, 3.3, 3.3]])[:, :, np.newaxis] * np.ones(999)
    np.testing.assert_array_equal(of(draws), [np.inf, np.nan])
