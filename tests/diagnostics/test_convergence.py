import numpy as np
import pytest
from arviz_stats.base import array_stats
from scipy import stats

from exmc_actors.diagnostics.convergence import convergence

CORRELATIONS = [-0.9, -0.3, 0.0, 0.5, 0.99]
SHORT_AND_ODD_LENGTHS = [4, 5, 7, 10, 33]


def assert_agrees_with_arviz(draws):
    ours = convergence(draws)
    np.testing.assert_allclose(ours.r_hat, array_stats.rhat(draws), rtol=1e-9)
    np.testing.assert_allclose(ours.ess_bulk, array_stats.ess(draws, method="bulk"), rtol=1e-9)
    tail = array_stats.ess(draws, method="tail", prob=(0.05, 0.95))
    np.testing.assert_allclose(ours.ess_tail, tail, rtol=1e-9)


@pytest.mark.parametrize("correlation", CORRELATIONS)
def test_agrees_with_arviz_however_correlated_the_draws_are(autoregressive, correlation):
    assert_agrees_with_arviz(autoregressive(5, 4, 400, correlation=correlation))


def test_agrees_with_arviz_on_many_quantities_of_all_kinds_at_once(autoregressive):
    kinds = [autoregressive(8, 4, 400, correlation=correlation) for correlation in CORRELATIONS]
    kinds.append(np.round(kinds[2]))
    assert_agrees_with_arviz(np.random.default_rng(1).permutation(np.concatenate(kinds)))


@pytest.mark.parametrize("length", SHORT_AND_ODD_LENGTHS)
def test_agrees_with_arviz_on_short_and_odd_chains(autoregressive, length):
    assert_agrees_with_arviz(autoregressive(20, 3, length, correlation=0.3))


def test_agrees_with_arviz_on_ties_and_on_chains_that_disagree(autoregressive):
    draws = autoregressive(5, 4, 200, correlation=0.5)
    assert_agrees_with_arviz(np.round(draws))
    assert_agrees_with_arviz(draws + np.arange(4)[:, None])


@pytest.mark.parametrize("length", [200, 33])
@pytest.mark.parametrize("factor", [4e307, 1.7e308])
def test_agrees_with_arviz_without_a_warning_near_the_greatest_float(autoregressive, factor, length):
    signs = np.sign(autoregressive(3, 4, length, correlation=0.3))
    draws = factor * signs * np.random.default_rng(2).random(signs.shape)
    ours = convergence(draws)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(ours.r_hat, array_stats.rhat(draws), rtol=1e-9)
        np.testing.assert_allclose(ours.ess_bulk, array_stats.ess(draws, method="bulk"), rtol=1e-9)
        tail = array_stats.ess(draws, method="tail", prob=(0.05, 0.95))
    np.testing.assert_allclose(ours.ess_tail, tail, rtol=1e-9)


def test_scales_that_differ_are_seen_although_the_means_agree():
    widths = np.array([1.0, 1.0, 1.0, 4.0])[:, None]
    quantiles = stats.norm.ppf(
        (np.random.default_rng(3).permuted(np.tile(np.arange(400), (4, 1)), axis=1) + 0.5) / 400
    )
    assert convergence((widths * quantiles)[None]).r_hat[0] > 1.1


def test_the_halves_of_a_single_chain_are_compared():
    drifting = np.linspace(0.0, 1.0, 100)[None, None]
    assert convergence(drifting).r_hat[0] > 1.5


def test_chains_that_differ_in_two_balanced_values_disagree():
    draws = np.zeros((2, 4, 1000))
    for chain, ones in enumerate((600, 600, 400, 400)):
        draws[0, chain, np.random.default_rng(chain).permutation(1000)[:ones]] = 1.0
    draws[1, 2:] = 1.0
    with np.errstate(invalid="ignore"):  # ArviZ divides zero by zero
        expected = array_stats.rhat(draws[:1])[0]
    np.testing.assert_allclose(convergence(draws).r_hat[0], expected, rtol=1e-9)
    assert expected > 1.01
    assert convergence(draws).r_hat[1] > 100


def test_what_is_not_finite_or_too_short_is_left_open():
    draws = np.random.default_rng(1).normal(size=(3, 4, 20))
    draws[0, 1, 2], draws[2, 3, 4] = np.nan, np.inf
    result = convergence(draws)
    assert np.isnan(result.r_hat).tolist() == [True, False, True]
    assert np.isnan(result.ess_tail).tolist() == [True, False, True]
    assert np.isnan(convergence(draws[:, :, :3]).r_hat).all()
    assert np.isnan(convergence(draws[:, :0]).ess_bulk).all()


def test_a_constant_is_certain_and_has_no_rhat():
    constant = np.ones((1, 4, 100))
    result = convergence(constant)
    assert np.isnan(result.r_hat[0])
    assert result.ess_bulk[0] == 400
