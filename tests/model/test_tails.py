"""The two tails of every distribution that has them, against SciPy and mpmath, far out on either side."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy import stats

import exmc_actors.model as ex
from exmc_actors.errors import ModelError
from exmc_actors.model.tails import log_difference, log_tails

pytestmark = pytest.mark.usefixtures("exact")

CASES = {
    "Normal": (ex.Normal(0.4, 1.7), stats.norm(0.4, 1.7), [-30.0, -2.0, 0.4, 3.0, 40.0]),
    "LogNormal": (ex.LogNormal(0.4, 1.7), stats.lognorm(1.7, scale=np.exp(0.4)), [1e-6, 0.5, 3.0, 1e5]),
    "HalfNormal": (ex.HalfNormal(1.7), stats.halfnorm(scale=1.7), [1e-9, 0.5, 3.0, 20.0]),
    "Exponential": (ex.Exponential(0.8), stats.expon(scale=1 / 0.8), [1e-9, 0.5, 40.0]),
    "Weibull": (ex.Weibull(1.5, 2.0), stats.weibull_min(1.5, scale=2.0), [1e-4, 1.0, 30.0]),
    "Logistic": (ex.Logistic(0.4, 1.7), stats.logistic(0.4, 1.7), [-90.0, 0.0, 90.0]),
    "Laplace": (ex.Laplace(0.4, 1.7), stats.laplace(0.4, 1.7), [-90.0, 0.3, 0.5, 90.0]),
    "Gumbel": (ex.Gumbel(0.4, 1.7), stats.gumbel_r(0.4, 1.7), [-6.0, 0.4, 50.0]),
    "Cauchy": (ex.Cauchy(0.4, 1.7), stats.cauchy(0.4, 1.7), [-1e4, 0.0, 2.0]),
    "HalfCauchy": (ex.HalfCauchy(1.7), stats.halfcauchy(scale=1.7), [1e-9, 1.0, 1e6]),
    "Uniform": (ex.Uniform(-1.0, 3.0), stats.uniform(-1.0, 4.0), [-0.9, 1.0, 2.9]),
    "Pareto": (ex.Pareto(2.5, 1.5), stats.pareto(2.5, scale=1.5), [1.6, 3.0, 1e5]),
    "Gamma": (ex.Gamma(2.3, 0.7), stats.gamma(2.3, scale=1 / 0.7), [1e-3, 2.0, 40.0]),
    "InverseGamma": (ex.InverseGamma(2.3, 0.7), stats.invgamma(2.3, scale=0.7), [0.05, 0.5, 40.0]),
    "Poisson": (ex.Poisson(3.5), stats.poisson(3.5), [-1.0, 0.0, 3.0, 20.0]),
    "Geometric": (ex.Geometric(0.3), stats.geom(0.3), [0.0, 1.0, 5.0, 60.0]),
}


@pytest.mark.parametrize("name", CASES)
def test_both_tails_agree_with_scipy(name):
    ours, known, x = CASES[name]
    below, above = log_tails(ours, np.array(x))
    # SciPy's logarithm of a probability near one loses digits: that of the other tail has them.
    is_low = known.cdf(x) < 0.5
    with np.errstate(divide="ignore"):
        log_below = np.where(is_low, known.logcdf(x), np.log1p(-known.sf(x)))
        log_above = np.where(is_low, np.log1p(-known.cdf(x)), known.logsf(x))
    np.testing.assert_allclose(below, log_below, rtol=1e-10, atol=1e-300)
    np.testing.assert_allclose(above, log_above, rtol=1e-10, atol=1e-300)


def test_the_tails_of_kumaraswamy_agree_with_its_distribution_function():
    x = np.array([0.01, 0.5, 0.99])
    below, above = log_tails(ex.Kumaraswamy(2.0, 3.0), x)
    np.testing.assert_allclose(np.exp(below), 1 - (1 - x**2) ** 3, rtol=1e-12)
    np.testing.assert_allclose(above, 3 * np.log1p(-(x**2)), rtol=1e-12)


@pytest.mark.parametrize("shape", [0.1, 2.3, 100.0, 1e5])
@pytest.mark.parametrize("factor", [1e-300, 1e-9, 0.3, 0.9, 1.1, 3.0, 50.0, 1e4])
def test_a_tail_of_gamma_that_is_no_float_has_a_logarithm(shape, factor):
    x = shape * factor
    with mpmath.workdps(60):
        wanted = _log_gamma_tail(mpmath.mpf(shape), mpmath.mpf(x))
    ours = log_tails(ex.Gamma(shape, 1.0), x)[0 if factor < 1.0 else 1]
    assert float(ours) == pytest.approx(wanted, rel=1e-10)


def _log_gamma_tail(shape, x):
    if x < shape:
        series = mpmath.log(mpmath.hyp1f1(1, shape + 1, x))
        return float(series + shape * mpmath.log(x) - x - mpmath.loggamma(shape + 1))
    rest = mpmath.mpf(0)
    for k in range(3000, 0, -1):
        rest = k * (k - shape) / (x + 2 * k + 1 - shape - rest)
    return float(shape * mpmath.log(x) - x - mpmath.loggamma(shape) - mpmath.log(x + 1 - shape - rest))


@pytest.mark.slow
@pytest.mark.parametrize("x", [1e-8, 3e-8, 650.0, 2000.0])
def test_the_slope_of_a_tiny_tail_of_gamma_is_that_of_its_logarithm(x):
    def smaller(shape, x):
        return jnp.min(jnp.stack(log_tails(ex.Gamma(shape, jnp.asarray(1.0)), x)))

    shape = 40.0 if x < 1.0 else 2.3
    for k, step in enumerate([1e-5 * shape, 1e-5 * x]):
        ends = [smaller(shape + sign * step * (k == 0), x + sign * step * (k == 1)) for sign in (-1.0, 1.0)]
        numeric = (ends[1] - ends[0]) / (2.0 * step)
        assert float(jax.grad(smaller, argnums=k)(shape, x)) == pytest.approx(float(numeric), rel=1e-6)


BESIDE = [
    ex.Exponential(1.0),
    ex.Gamma(2.0, 1.0),
    ex.Pareto(2.0, 1.5),
    ex.Poisson(2.0),
    ex.LogNormal(0.0, 1.0),
]


@pytest.mark.parametrize("distribution", [*BESIDE, ex.Uniform(0.0, 3.0)])
def test_all_of_a_distribution_lies_above_what_is_below_its_support(distribution):
    assert [float(tail) for tail in log_tails(distribution, -1.0)] == [-np.inf, 0.0]


def test_all_of_a_distribution_lies_below_what_is_above_its_support():
    assert [float(tail) for tail in log_tails(ex.Uniform(0.0, 3.0), 4.0)] == [0.0, -np.inf]


def test_the_difference_of_nearly_equal_tails_keeps_its_digits():
    with mpmath.workdps(40):
        wanted = float(mpmath.log(mpmath.exp(-3) - mpmath.exp(-3 - mpmath.mpf(1e-12))))
    assert float(log_difference(-3.0, -3.0 - 1e-12)) == pytest.approx(wanted, rel=1e-5)
    assert float(log_difference(-3.0, -np.inf)) == -3.0
    assert float(log_difference(-3.0, -3.0)) == -np.inf


def test_an_unknown_tail_is_refused():
    with pytest.raises(ModelError, match=r"not known for VonMises\(0.0, 1.0\).*take one of Cauchy"):
        log_tails(ex.VonMises(0.0, 1.0), 0.0)
