"""The functions that replace JAX's, against mpmath at 60 digits in value and slope."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from exmc_actors.model import functions
from exmc_actors.xla import is_folded, precise

pytestmark = pytest.mark.usefixtures("exact")

SIZES = (1e-8, 1e-3, 0.3, 1.0, 1.5, 9.99, 10.0, 10.01, 35.0, 1e3, 1e6, 1e10, 1e14)


def exactly(formula, *at, digits=60):
    """Return the value of a formula and its derivatives."""
    with mpmath.workdps(digits):
        at = [mpmath.mpf(argument) for argument in at]
        slopes = []
        for i, argument in enumerate(at):
            h = mpmath.mpf(10) ** (-digits // 3) * (abs(argument) or 1)
            up, down = ((*at[:i], argument + step, *at[i + 1 :]) for step in (h, -h))
            slopes.append(float((formula(*up) - formula(*down)) / (2 * h)))
        return float(formula(*at)), slopes


def log_beta(a, b):
    return mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b)


@pytest.mark.parametrize("a", SIZES)
def test_log_beta_is_accurate_to_its_own_size(a):
    ours = jax.vmap(jax.value_and_grad(functions.log_beta, argnums=(0, 1)), in_axes=(None, 0))
    values, slopes = ours(a, np.array(SIZES))
    for i, b in enumerate(SIZES):
        value, wanted = exactly(log_beta, a, b)
        assert float(values[i]) == pytest.approx(value, rel=1e-13, abs=1e-14)
        # A small argument beside a larger one changes the slope in the larger one by little.
        rounding = 1e-15 * max(map(abs, wanted))
        assert [float(slope[i]) for slope in slopes] == pytest.approx(wanted, rel=1e-12, abs=rounding)


@pytest.mark.parametrize("n", [0.0, 0.5, 1.0, 2.0, 10.0, 1e3, 1e6])
def test_log_rising_is_accurate_for_small_and_large_starts(n):
    def formula(x):
        return mpmath.loggamma(x + n) - mpmath.loggamma(x)

    values, slopes = jax.vmap(jax.value_and_grad(lambda x: functions.log_rising(x, n)))(np.array(SIZES))
    for i, x in enumerate(SIZES):
        value, (wanted,) = exactly(formula, x)
        assert float(values[i]) == pytest.approx(value, rel=1e-13, abs=1e-14)
        assert float(slopes[i]) == pytest.approx(wanted, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(("n", "k"), [(10, 3), (5, 0), (0, 0), (10**6, 5 * 10**5), (10**10, 3)])
def test_log_choose_counts(n, k):
    exact = float(mpmath.log(mpmath.binomial(n, k)))
    assert float(functions.log_choose(n, k)) == pytest.approx(exact, rel=1e-13, abs=1e-14)


@pytest.mark.parametrize("x", [1e-300, 1e-12, 0.5, 0.6931, 0.6932, 5.0, 700.0])
def test_log1mexp_is_right_for_small_and_large_numbers(x):
    value, (slope,) = exactly(lambda x: mpmath.log(1 - mpmath.exp(-x)), x, digits=900)
    ours = jax.value_and_grad(functions.log1mexp)(x)
    assert list(map(float, ours)) == pytest.approx([value, slope], rel=1e-13, abs=0.0)


@pytest.mark.parametrize("x", [0.0, 1e-9, 0.1, 1.0, 7.9, 8.1, 49.9, 50.1, 1e4, 1e9])
def test_the_bessel_function_is_right_for_small_and_large_concentrations(x):
    def formula(x):
        return mpmath.log(mpmath.besseli(0, x)) - x

    with mpmath.workdps(60):
        value = float(formula(mpmath.mpf(x)))
        slope = float(mpmath.besseli(1, x) / mpmath.besseli(0, x) - 1)
    ours = jax.value_and_grad(functions.log_bessel_i0e)(x)
    assert list(map(float, ours)) == pytest.approx([value, slope], rel=1e-12, abs=1e-15)


def test_no_count_of_a_logarithm_is_zero_whatever_the_logarithm():
    none, some = jnp.array(0.0), jnp.array(3.0)
    assert jax.value_and_grad(functions.times_log, argnums=1)(none, 0.0) == (0.0, 0.0)
    assert jax.value_and_grad(functions.times_log1m, argnums=1)(none, 1.0) == (0.0, 0.0)
    assert jax.value_and_grad(functions.times_log_share, argnums=1)(none, 0.0, 1.0) == (0.0, 0.0)
    assert jax.value_and_grad(functions.times_log, argnums=1)(some, 0.5) == (3 * np.log(0.5), 6.0)
    assert jax.value_and_grad(functions.times_log1m, argnums=1)(some, 0.5) == (3 * np.log(0.5), -6.0)
    value, slopes = jax.value_and_grad(functions.times_log_share, argnums=(1, 2))(some, 1.0, 3.0)
    assert [float(value), *map(float, slopes)] == pytest.approx([3 * np.log(0.25), 2.25, -0.75])


def test_an_entry_is_picked_by_position_and_is_zero_where_there_is_none():
    values = jnp.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(functions.at_position(values, jnp.array([1, 0])), [2.0, 3.0])
    np.testing.assert_array_equal(functions.at_position(values[0], jnp.array([-1, 0, 2])), [0.0, 1.0, 0.0])
    slopes = jax.grad(lambda v: functions.at_position(v, jnp.array([0, 0, 5])).sum())(values[0])
    np.testing.assert_array_equal(slopes, [2.0, 0.0])


def test_powers_of_zero_have_slopes():
    exponents = jnp.arange(4.0)
    slopes = jax.jacfwd(lambda x: functions.power(x, exponents))(0.0)
    np.testing.assert_array_equal(slopes, [0.0, 1.0, 0.0, 0.0])
    assert jax.grad(functions.power, argnums=1)(2.0, 0.0) == pytest.approx(np.log(2.0), rel=1e-15)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(0,), (1,), (3,), (4,), (9,), (100,), (20, 3), (3, 20)])
def test_running_sums_are_numpys_bit_for_bit_and_their_slopes_those_of_jax(shape):
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape)
    for axis in (None, *range(len(shape))):
        weights = rng.normal(size=np.cumsum(x, axis).shape)

        def slope(function, axis=axis, weights=weights):
            return jax.grad(lambda x: jnp.sum(weights * function(x, axis)))(x)

        assert np.array_equal(functions.cumsum(x, axis), np.cumsum(x, axis))
        np.testing.assert_allclose(slope(functions.cumsum), slope(jnp.cumsum), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("count", [3, 4, 97])
def test_a_loop_of_running_sums_folds_of_several_vectors_too(count):
    slope = jax.vmap(jax.grad(lambda x: jnp.sum(functions.cumsum(x) ** 2)))

    def loop(x, n):
        return jax.lax.fori_loop(0, n, lambda _, x: x - 0.1 * slope(x), x)

    with precise():
        assert is_folded(jax.jit(loop).lower(np.zeros((2, count)), 3).compile().as_text())
