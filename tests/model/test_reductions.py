"""Functions of many entries where NumPy's formulas, or JAX's derivatives of them, have no number."""

import jax
import mpmath
import numpy as np
import pytest

from exmc_actors.model import normal_probability, reductions
from exmc_actors.xla import precise

INF = np.inf


def value_and_slope(function, x):
    with precise():
        value, slope = jax.value_and_grad(function)(np.asarray(x, dtype=float))
    return float(value), np.asarray(slope)


@pytest.mark.parametrize(
    ("x", "wanted", "slopes"),
    [
        ([-INF, -INF], -INF, [0, 0]),
        ([-INF, 3.0], 3.0, [0, 1]),
        ([800.0, 800.0], 800.0 + np.log(2.0), [0.5, 0.5]),
        ([-800.0, -801.0], np.logaddexp(-800, -801), [1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))]),
    ],
)
@pytest.mark.parametrize(
    "function",
    [reductions.logsumexp, lambda x: reductions.logsumexp(x, axis=0), lambda x: reductions.logaddexp(*x)],
    ids=["logsumexp", "logsumexp along", "logaddexp"],
)
def test_a_sum_of_exponentials_has_slopes_where_its_terms_are_impossible(function, x, wanted, slopes):
    value, slope = value_and_slope(function, x)
    assert value == pytest.approx(wanted, rel=1e-14)
    if wanted > -INF:
        np.testing.assert_allclose(slope, slopes, rtol=1e-13)
    assert np.isfinite(slope).all()


def test_an_impossible_sum_inside_a_possible_one_leaves_its_slopes_alone():
    def nested(x):
        impossible = reductions.logsumexp(x[:2] - np.array([INF, INF]))
        return reductions.logaddexp(impossible, reductions.logsumexp(x[2:]))

    value, slope = value_and_slope(nested, [1.0, 2.0, 3.0])
    assert value == 3.0
    np.testing.assert_array_equal(slope, [0.0, 0.0, 1.0])


def test_the_sum_of_no_exponentials_is_zero_and_of_what_is_no_number_none():
    with precise():
        assert reductions.logsumexp(np.zeros(0)) == -INF
        np.testing.assert_array_equal(reductions.logsumexp(np.zeros((2, 0)), axis=1), [-INF, -INF])
        assert np.isnan(reductions.logsumexp(np.array([1.0, np.nan])))
        assert reductions.logsumexp(np.array([1.0, INF])) == INF


def test_equal_entries_have_a_deviation_of_zero_without_a_slope():
    value, slope = value_and_slope(reductions.std, np.full(3, 0.1))
    assert value == pytest.approx(0.0, abs=1e-16)
    assert np.isfinite(slope).all()
    value, slope = value_and_slope(reductions.std, np.zeros(3))
    assert value == 0.0
    np.testing.assert_array_equal(slope, 0.0)


def test_a_deviation_of_what_is_no_number_is_none():
    with precise():
        assert np.isnan(reductions.std(np.array([1.0, np.nan])))


def test_running_products_have_slopes_on_both_sides_of_a_zero():
    def last(x):
        return reductions.cumprod(x)[-1]

    value, slope = value_and_slope(last, [2.0, 0.0, 3.0])
    assert value == 0.0
    np.testing.assert_array_equal(slope, [0.0, 6.0, 0.0])


@pytest.mark.parametrize("x", [-1e8, -40.0, -5.0, -1e-3, 0.0, 1e-3, 5.0, 30.0, INF])
def test_the_log_of_a_normal_probability_is_exact_in_both_tails(x):
    with mpmath.workdps(60):
        z = mpmath.mpf(x)
        if x < -1e3:  # Mills' ratio by its asymptotic series
            log_p = -z * z / 2 - mpmath.log(-z * mpmath.sqrt(2 * mpmath.pi)) - 1 / (z * z)
            hazard = -z - 1 / z
        else:
            p = mpmath.mpf(1) if x == INF else mpmath.erfc(-z / mpmath.sqrt(2)) / 2
            log_p, hazard = mpmath.log(p), mpmath.exp(-z * z / 2) / mpmath.sqrt(2 * mpmath.pi) / p
    value, slope = value_and_slope(normal_probability.log_ndtr, x)
    assert value == pytest.approx(float(log_p), rel=1e-13)
    assert slope == pytest.approx(float(hazard), rel=1e-13)
