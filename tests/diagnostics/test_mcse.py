import numpy as np
import pytest
from arviz_stats.base.array import array_stats

from exmc_actors.diagnostics.mcse import mcse


def error_of_sd(draws):
    """Return it by ArviZ's effective draws of squares, which its own takes since version 1."""
    squares = (draws - draws.mean(axis=(1, 2), keepdims=True)) ** 2
    effective = array_stats.ess(squares, method="mean", chain_axis=1, draw_axis=2)
    variance = squares.mean(axis=(1, 2))
    return np.sqrt(((squares**2).mean(axis=(1, 2)) - variance**2) / effective / variance / 4)


@pytest.mark.parametrize("length", [4, 5, 33, 400])
@pytest.mark.parametrize("correlation", [-0.9, 0.0, 0.5, 0.99])
def test_agrees_with_arviz_however_correlated_and_long_the_chains_are(autoregressive, correlation, length):
    draws = autoregressive(5, 4, length, correlation=correlation) + 3.0
    of_mean, of_sd = mcse(draws)
    expected = array_stats.mcse(draws, method="mean", chain_axis=1, draw_axis=2)
    np.testing.assert_allclose(of_mean, expected, rtol=1e-9)
    np.testing.assert_allclose(of_sd, error_of_sd(draws), rtol=1e-9)


def test_errors_are_how_far_estimates_of_many_runs_scatter(autoregressive):
    runs = autoregressive(400, 4, 500, correlation=0.6)
    of_mean, of_sd = mcse(runs)
    flat = runs.reshape(400, -1)
    # Of 400 runs the scatter is known to one part in 28; each run's own error to some per cent.
    assert of_mean.mean() == pytest.approx(flat.mean(axis=1).std(), rel=0.15)
    assert of_sd.mean() == pytest.approx(flat.std(axis=1).std(), rel=0.15)


@pytest.mark.parametrize("constant", [3.0, 0.1, 5791.091292641165])
def test_what_does_not_vary_has_no_error_of_its_mean(constant):
    of_mean, of_sd = mcse(np.full((1, 2, 10), constant))
    assert of_mean == 0.0
    assert np.isnan(of_sd)


def test_two_values_in_equal_numbers_have_no_error_of_their_deviation():
    of_mean, of_sd = mcse(np.tile([0.1, 0.3], (1, 4, 25)))
    assert of_mean > 0.0
    assert of_sd == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("length", [0, 3])
def test_errors_of_too_few_draws_are_open(length):
    assert np.isnan(mcse(np.ones((2, 4, length)).cumsum(axis=2))).all()


def test_errors_of_what_is_not_finite_are_open_and_those_beside_it_are_not(autoregressive):
    draws = autoregressive(3, 4, 50, correlation=0.3)
    expected = mcse(draws)
    draws[1, 2, 3] = np.inf
    expected[:, 1] = np.nan
    np.testing.assert_array_equal(mcse(draws), expected)
