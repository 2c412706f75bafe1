import numpy as np
import pytest

from exmc_actors.diagnostics.rhat import rhat


def test_chains_that_agree_have_an_rhat_near_one(autoregressive):
    np.testing.assert_allclose(rhat(autoregressive(20, 4, 2000, correlation=0.0)), 1.0, atol=0.005)


def test_is_the_formula_of_gelman_and_rubin_for_chains_of_two_draws():
    # Between: 2 * var([1, 3]) = 4. Within: the mean of 2 and 2.
    assert rhat(np.array([[[0.0, 2.0], [2.0, 4.0]]])) == pytest.approx(np.sqrt(4 / 2 / 2 + 1 / 2))


def test_chains_that_stand_still_apart_never_agree():
    assert rhat(np.array([[[1.0, 1.0], [2.0, 2.0]]])) == np.inf


def test_a_constant_has_no_rhat():
    assert np.isnan(rhat(np.ones((1, 4, 10))))
