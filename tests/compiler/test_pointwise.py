import numpy as np
import pytest
from scipy import stats

import exmc_actors.model as ex
from exmc_actors.compiler import compile
from exmc_actors.compiler.over_draws import log_likelihood

COUNT = 9
X = np.random.default_rng(1).normal(size=(12, 3))
BETA = np.random.default_rng(2).normal(size=(COUNT, 3))
SIGMA = np.random.default_rng(3).gamma(2.0, size=COUNT)
ETA = BETA @ X.T
WHOLE = np.arange(12) % 4
REAL = np.random.default_rng(4).normal(size=12)


@pytest.fixture
def b():
    """A builder on which a location and a scale are declared."""
    builder = ex.Builder()
    builder.rv("mu", ex.Normal(0.0, 5.0))
    builder.rv("tau", ex.HalfNormal(5.0))
    return builder


CASES = {
    "normal": (
        lambda eta, sigma: ex.Normal(eta, sigma),
        REAL,
        stats.norm.logpdf(REAL, ETA, SIGMA[:, None]),
    ),
    "student": (
        lambda eta, sigma: ex.StudentT(3.0, eta, sigma),
        REAL,
        stats.t.logpdf(REAL, 3.0, ETA, SIGMA[:, None]),
    ),
    "poisson": (
        lambda eta, sigma: ex.Poisson(ex.math.exp(eta)),
        WHOLE,
        stats.poisson.logpmf(WHOLE, np.exp(ETA)),
    ),
    "bernoulli": (
        lambda eta, sigma: ex.BernoulliLogit(eta),
        WHOLE % 2,
        stats.bernoulli.logpmf(WHOLE % 2, 1.0 / (1.0 + np.exp(-ETA))),
    ),
    "exponential": (
        lambda eta, sigma: ex.Exponential(sigma),
        np.abs(REAL),
        stats.expon.logpdf(np.abs(REAL), scale=1.0 / SIGMA[:, None]),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_observed_entry_has_the_log_density_that_scipy_gives(case):
    distribution, data, expected = CASES[case]
    b = ex.Builder()
    beta, sigma = b.rv("beta", ex.Normal(0.0, 1.0), shape=3), b.rv("sigma", ex.HalfNormal(1.0))
    eta = b.det("eta", X @ beta)
    b.obs("y", distribution(eta, sigma), data)
    found = log_likelihood(b.model(), {"beta": BETA, "sigma": SIGMA}, COUNT)["y"]
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_the_rows_are_seen_where_the_program_sees_their_sum():
    rng = np.random.default_rng(7)
    b = ex.Builder()
    mu, tau = b.rv("mu", ex.Normal(0.0, 5.0)), b.rv("tau", ex.HalfNormal(1.0))
    level = b.rv("level", ex.Normal(mu, tau), shape=4)
    y, group = rng.normal(size=40), rng.integers(0, 4, 40)
    b.obs("y", ex.Normal(level[group], 0.5), y)
    model = b.model()
    values = {"mu": 0.3, "tau": 0.7, "level": rng.normal(size=4)}
    found = log_likelihood(model, {"level": values["level"][np.newaxis]}, 1)["y"]
    np.testing.assert_allclose(found[0], stats.norm.logpdf(y, values["level"][group], 0.5), rtol=1e-10)
    program = compile(model)
    assert program.terms(program.unconstrain(values))["y"] == pytest.approx(found.sum(), rel=1e-10)


def test_an_observation_that_another_depends_on_stands_there_by_its_data(b):
    y = b.obs("y", ex.Normal("mu", 1.0), [1.0, 2.0])
    b.obs("x", ex.Normal(y, 1.0), [1.5, 2.5])
    found = log_likelihood(b.model(), {"mu": np.zeros(3)}, 3)
    np.testing.assert_allclose(found["x"], np.full((3, 2), stats.norm.logpdf(0.5)), rtol=1e-10)


def test_what_a_draw_makes_impossible_is_minus_infinity(b):
    high = b.rv("high", ex.HalfNormal(10.0))
    b.obs("y", ex.Uniform(0.0, high), [1.0, 3.0])
    found = log_likelihood(b.model(), {"high": np.array([2.0, 4.0])}, 2)["y"]
    np.testing.assert_allclose(found, [[-np.log(2.0), -np.inf], [-np.log(4.0)] * 2])


COVARIANCE = np.array([[2.0, 0.5], [0.5, 1.0]])
PAIRS = np.random.default_rng(5).normal(size=(6, 2))


def test_an_observed_vector_is_one_event(b):
    b.obs("pairs", ex.MvNormal(ex.math.stack(["mu", "mu"]), COVARIANCE), PAIRS)
    mu = np.array([0.0, 0.3, -2.0])
    found = log_likelihood(b.model(), {"mu": mu}, 3)["pairs"]
    expected = [stats.multivariate_normal([m, m], COVARIANCE).logpdf(PAIRS) for m in mu]
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_a_mixture_of_numbers_has_one_number_an_entry(b):
    b.obs("y", ex.Mixture([0.3, 0.7], [ex.Normal("mu", 1.0), ex.Normal(5.0, 2.0)]), REAL)
    found = log_likelihood(b.model(), {"mu": np.array([0.5])}, 1)["y"]
    expected = np.log(0.3 * stats.norm.pdf(REAL, 0.5, 1.0) + 0.7 * stats.norm.pdf(REAL, 5.0, 2.0))
    np.testing.assert_allclose(found[0], expected, rtol=1e-10)


def test_counts_of_categories_are_one_event(b):
    counts = np.array([[1, 2, 3], [4, 0, 2]])
    b.obs("counts", ex.Multinomial(6, [0.2, 0.3, 0.5]), counts)
    found = log_likelihood(b.model(), {}, 2)["counts"]
    np.testing.assert_allclose(found, [stats.multinomial(6, [0.2, 0.3, 0.5]).logpmf(counts)] * 2, rtol=1e-10)
