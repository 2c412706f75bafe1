"""Probabilities between two bounds against mpmath, from the middle to a million standard deviations out."""

import jax
import mpmath
import numpy as np
import pytest
from mpmath import erfc, log, mpf, sqrt

from exmc_actors.model.normal_probability import (
    draw_between,
    erfcx,
    fraction_beyond,
    log_probability_above_peak,
    log_probability_beyond_peak,
    nearest_to_zero,
    pulls,
)

pytestmark = pytest.mark.usefixtures("exact")

LOWS = (
    -1e5,
    -300.0,
    -30.0,
    -8.0,
    -2.0,
    -0.3,
    -1e-6,
    0.0,
    1e-9,
    0.2,
    1.0,
    4.99,
    5.0,
    5.01,
    9.0,
    40.0,
    1e3,
    1e6,
)
WIDTHS = (1e-9, 1e-4, 0.1, 0.5, 0.9, 2.0, 10.0, 100.0, np.inf)


def intervals():
    for low in LOWS:
        for width in WIDTHS:
            for a, b in ((low, low + width), (-low - width, -low)):
                exact = mpf(b) - mpf(a) if np.isfinite(width) else mpf("inf")
                if exact > 0:
                    yield a, b, float(exact)


def exactly(a, b):
    """Return the logarithm beyond the peak, and both pulls."""
    with mpmath.workdps(120):
        a, b = mpf(a), mpf(b)
        c = max(a, min(b, 0))
        low, high = (-b, -a) if a + b < 0 else (a, b)
        p = (erfc(low / sqrt(2)) - erfc(high / sqrt(2))) / 2
        at_a, at_b = (mpmath.npdf(x) / p if mpmath.isfinite(x) else mpf(0) for x in (a, b))
        return float(log(p) + c**2 / 2), float(at_a - c * (c == a)), float(at_b + c * (c == b))


def test_agrees_with_mpmath_however_far_out_and_however_narrow():
    a, b, width = (np.array(column) for column in zip(*intervals(), strict=True))
    values, (at_a, at_b) = log_probability_beyond_peak(a, b, width), pulls(a, b, width)
    wanted = np.array([exactly(*bounds) for bounds in zip(a, b, strict=True)])
    np.testing.assert_allclose(values, wanted[:, 0], rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(at_a, wanted[:, 1], rtol=2e-13, atol=1e-300)
    np.testing.assert_allclose(at_b, wanted[:, 2], rtol=2e-13, atol=1e-300)


@pytest.mark.slow
def test_the_slopes_are_the_pulls():
    def between(a, b):
        return log_probability_beyond_peak(a, b, b - a)

    for a, b in ((1.0, 2.0), (-3.0, -1.0), (-1.0, 2.0)):
        at_a, at_b = pulls(a, b, b - a)
        assert list(map(float, jax.grad(between, argnums=(0, 1))(a, b))) == [-float(at_a), float(at_b)]


@pytest.mark.parametrize("a", [-1e5, -30.0, -2.0, -1e-9, 0.0, 1e-9, 0.7, 5.0, 5.1, 30.0, 1e6])
def test_one_bound_alone_agrees_with_two(a):
    value, at_a, _ = exactly(a, np.inf)
    ours = jax.value_and_grad(log_probability_above_peak)(a)
    assert list(map(float, ours)) == pytest.approx([value, -at_a], rel=1e-12, abs=1e-15)


def test_the_whole_line_has_probability_one():
    assert log_probability_beyond_peak(-np.inf, np.inf, np.inf) == 0.0
    assert list(map(float, pulls(-np.inf, np.inf, np.inf))) == [0.0, 0.0]
    assert list(map(float, nearest_to_zero(-np.inf, np.inf))) == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("t", [0.0, 1e-8, 0.7, 4.9, 5.0, 5.1, 12.0, 1e3, 1e8])
def test_mills_ratio_agrees_with_mpmath(t):
    with mpmath.workdps(60):
        exact = (
            mpmath.npdf(mpf(t)) * 2 / erfc(mpf(t) / sqrt(2)) - mpf(t) if t < 50 else 1 / (mpf(t) + 2 / mpf(t))
        )
    assert float(fraction_beyond(t)) == pytest.approx(float(exact), rel=2e-13 if t < 50 else 1e-11)


@pytest.mark.parametrize(("a", "b"), [(20.0, np.inf), (-np.inf, -300.0), (3.0, 3.1), (-0.5, 0.2)])
def test_draws_lie_between_the_bounds_and_turn_back_into_uniform_numbers(a, b):
    key = jax.random.key(2)
    c = float(nearest_to_zero(a, b)[0])
    steps = np.asarray(draw_between(key, a, b, b - a, (40,)))
    uniform = np.asarray(jax.random.uniform(key, (40,)))
    assert ((c + steps >= a) & (c + steps <= b)).all()
    with mpmath.workdps(300):
        points = [mpf(c) + mpf(float(step)) for step in steps]
        tails = [erfc(abs(x) / sqrt(2)) / 2 if abs(c) > 0 else erfc(-x / sqrt(2)) / 2 for x in points]
        ends = [
            erfc(abs(mpf(x)) / sqrt(2)) / 2 if abs(c) > 0 else erfc(-mpf(x) / sqrt(2)) / 2 for x in (a, b)
        ]
        shares = [float((tail - ends[0]) / (ends[1] - ends[0])) for tail in tails]
    np.testing.assert_allclose(shares if a + b > 0 else np.subtract(1.0, shares), uniform, atol=1e-9)


def test_erfcx_and_its_slope_agree_with_mpmath_and_stay_numbers_where_it_overflows():
    at = np.array([-26.0, -3.0, -1e-6, 0.0, 1e-6, 0.5, 3.5, 3.6, 30.0, 1e8])
    with mpmath.workdps(60):
        wanted = [mpmath.exp(mpf(x) ** 2) * erfc(mpf(x)) for x in at]
        slopes = [2 * mpf(x) * y - 2 / sqrt(mpmath.pi) for x, y in zip(at, wanted, strict=True)]
    np.testing.assert_allclose(erfcx(at), np.array(wanted, dtype=float), rtol=1e-13)
    slope = jax.vmap(jax.grad(erfcx))
    np.testing.assert_allclose(slope(at), np.array(slopes, dtype=float), rtol=1e-12)
    assert np.isfinite(slope(np.array([-30.0, -1e200]))).all()
