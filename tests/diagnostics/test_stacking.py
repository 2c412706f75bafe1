import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from exmc_actors.diagnostics.stacking import stacking_weights


@given(st.integers(1, 200), st.integers(1, 8), st.floats(-4.0, 2.0), st.integers(0, 10**6))
def test_no_other_mixture_predicts_better(observations, models, log_spread, seed):
    elpd_i = 10.0**log_spread * np.random.default_rng(seed).normal(size=(observations, models)) - 3.0
    weights = stacking_weights(elpd_i)
    assert weights.min() >= 0.0
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    # The log score is concave: its slope towards each single model bounds what any mixture can gain.
    densities = np.exp(elpd_i - elpd_i.max(axis=1, keepdims=True))
    gain = (densities / (densities @ weights)[:, np.newaxis]).mean(axis=0).max()
    assert observations * np.log(gain) < 1e-8


def test_agrees_with_a_general_optimiser():
    elpd_i = np.random.default_rng(1).normal(size=(60, 3))
    densities = np.exp(elpd_i)
    found = minimize(
        lambda w: -np.log(densities @ w).sum(),
        np.full(3, 1 / 3),
        jac=lambda w: -(densities / (densities @ w)[:, np.newaxis]).sum(axis=0),
        bounds=[(0.0, 1.0)] * 3,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1.0},
        tol=1e-12,
    )
    np.testing.assert_allclose(stacking_weights(elpd_i), found.x, atol=1e-5)


def test_equal_models_share_and_a_hopeless_one_gets_nothing():
    elpd_i = np.array([[-1.0, -1.0, -800.0]] * 10)
    np.testing.assert_allclose(stacking_weights(elpd_i), [0.5, 0.5, 0.0], atol=1e-9)
