"""Every log density against SciPy, or against mpmath where SciPy rounds."""

import jax
import mpmath
import numpy as np
import pytest
from scipy import stats

import exmc_actors.model as ex
from exmc_actors.errors import ModelError

SCALES = (1e-6, 0.3, 1.0, 40.0, 1e6)
REAL = np.array([-1e8, -30.0, -1.0, -1e-9, 0.0, 0.7, 5.0, 1e3, 1e10])
POSITIVE = np.array([1e-300, 1e-8, 0.1, 1.0, 3.0, 50.0, 1e5, 1e12])

CASES = {
    "Normal": [(m, s) for m in (-1e3, 0.0, 2.0) for s in SCALES],
    "HalfNormal": [(s,) for s in SCALES],
    "Exponential": [(s,) for s in SCALES],
    "Uniform": [(-3.0, 5.0), (0.0, 1.0), (0.0, 1e12)],
    "Cauchy": [(m, s) for m in (-1e3, 0.0, 2.0) for s in SCALES],
    "HalfCauchy": [(s,) for s in SCALES],
    "LogNormal": [(m, s) for m in (-5.0, 0.0, 2.0) for s in (0.05, 1.0, 30.0)],
}
SCIPY = {
    "Normal": lambda mu, sigma: stats.norm(mu, sigma),
    "HalfNormal": lambda sigma: stats.halfnorm(0, sigma),
    "Exponential": lambda rate: stats.expon(scale=1 / rate),
    "Uniform": lambda low, high: stats.uniform(low, high - low),
    "Cauchy": lambda mu, sigma: stats.cauchy(mu, sigma),
    "HalfCauchy": lambda sigma: stats.halfcauchy(0, sigma),
    "LogNormal": lambda mu, sigma: stats.lognorm(sigma, scale=np.exp(mu)),
}


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize(("name", "parameters"), [(name, p) for name in CASES for p in CASES[name]])
def test_agrees_with_scipy(name, parameters):
    x = REAL if name in ("Normal", "Cauchy") else POSITIVE
    if name == "Uniform":
        x = np.linspace(*parameters, 7)
    ours = np.asarray(getattr(ex, name)(*parameters).log_prob(x))
    theirs = SCIPY[name](*parameters).logpdf(x)
    known = np.isfinite(theirs)  # SciPy underflows to -inf in far tails
    assert known.sum() >= 3
    np.testing.assert_allclose(ours[known], theirs[known], rtol=1e-10)
    assert (ours[~known] < -600).all()


def gamma(x, alpha, beta):
    log = mpmath.log
    return (alpha - 1) * log(x) - beta * x + alpha * log(beta) - mpmath.loggamma(alpha)


def beta(x, alpha, beta):
    between = mpmath.loggamma(alpha + beta) - mpmath.loggamma(alpha) - mpmath.loggamma(beta)
    return (alpha - 1) * mpmath.log(x) + (beta - 1) * mpmath.log1p(-x) + between


def student_t(x, nu, mu, sigma):
    height = mpmath.loggamma((nu + 1) / 2) - mpmath.loggamma(nu / 2) - mpmath.log(nu * mpmath.pi) / 2
    return height - mpmath.log(sigma) - (nu + 1) / 2 * mpmath.log1p(((x - mu) / sigma) ** 2 / nu)


SHAPES = (1e-6, 0.01, 0.5, 1.0, 1.0001, 2.0, 30.0, 1e4)
EXACT = {
    "Gamma": (gamma, [(a, b) for a in SHAPES for b in (1e-6, 0.5, 1e5)], POSITIVE[:7]),
    "Beta": (beta, [(a, b) for a in SHAPES for b in SHAPES], [1e-300, 1e-9, 0.1, 0.5, 0.9, 1 - 1e-12]),
    "StudentT": (
        student_t,
        [(n, 1.0, s) for n in (*SHAPES, 39.9, 40.1, 1e9) for s in (1e-5, 1.0, 1e4)],
        REAL,
    ),
}


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("name", EXACT)
def test_agrees_with_forty_digits(name):
    formula, grid, points = EXACT[name]
    with mpmath.workdps(40):
        for parameters in grid:
            wanted = [float(formula(mpmath.mpf(float(x)), *map(mpmath.mpf, parameters))) for x in points]
            ours = np.asarray(getattr(ex, name)(*parameters).log_prob(np.asarray(points)))
            np.testing.assert_allclose(ours, wanted, rtol=1e-10, atol=1e-13, err_msg=f"{name}{parameters}")


INSIDE = {
    "Normal": (0.4, 1.7),
    "HalfNormal": (1.7,),
    "Exponential": (0.8,),
    "Gamma": (2.3, 0.7),
    "Beta": (2.3, 0.7),
    "Uniform": (-0.5, 1.5),
    "StudentT": (3.1, 0.4, 1.7),
    "Cauchy": (0.4, 1.7),
    "HalfCauchy": (1.7,),
    "LogNormal": (0.4, 1.7),
    "Flat": (),
    "HalfFlat": (),
}


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("name", INSIDE)
def test_gradients_agree_with_central_differences(name):
    def total(x, *parameters):
        return getattr(ex, name)(*parameters).log_prob(x)

    at = (0.6, *INSIDE[name])
    slopes = jax.grad(total, argnums=tuple(range(len(at))))(*at)
    for i, slope in enumerate(slopes):
        up, down = ((*at[:i], at[i] + h, *at[i + 1 :]) for h in (1e-6, -1e-6))
        difference = float(total(*up) - total(*down)) / 2e-6
        assert float(slope) == pytest.approx(difference, abs=1e-8, rel=1e-7)


OUTSIDE = {
    "HalfNormal": -1.0,
    "Exponential": -1e-9,
    "Gamma": 0.0,
    "Beta": 1.0,
    "Uniform": 1.6,
    "HalfCauchy": -2.0,
    "LogNormal": 0.0,
    "HalfFlat": -0.1,
}


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("name", OUTSIDE)
def test_is_minus_infinity_outside_the_support_with_a_finite_gradient(name):
    def total(x, *parameters):
        return getattr(ex, name)(*parameters).log_prob(x)

    at = (OUTSIDE[name], *INSIDE[name])
    assert total(*at) == -np.inf
    slopes = jax.grad(lambda *a: total(*a).sum(), argnums=tuple(range(len(at))))(*at)
    assert all(np.isfinite(slopes))


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("name", [name for name in SCIPY if name not in ("Cauchy", "HalfCauchy")])
def test_mean_is_scipys(name):
    parameters = INSIDE[name]
    assert float(getattr(ex, name)(*parameters).mean()) == pytest.approx(SCIPY[name](*parameters).mean())


@pytest.mark.usefixtures("exact")
def test_means_of_the_others():
    assert ex.Gamma(3.0, 2.0).mean() == 1.5
    assert ex.Beta(3.0, 1.0).mean() == 0.75
    assert ex.StudentT(3.0, 2.0, 1.0).mean() == 2.0
    assert np.isnan(ex.StudentT(1.0, 2.0, 1.0).mean())
    assert np.isnan(ex.Cauchy(0.0, 1.0).mean())
    assert ex.HalfCauchy(1.0).mean() == np.inf


@pytest.mark.parametrize("improper", [ex.Flat(), ex.HalfFlat()])
def test_an_improper_prior_has_neither_mean_nor_draws(improper):
    with pytest.raises(ModelError, match=r"has no mean: it is no probability distribution\. Write .*Normal"):
        improper.mean()
    with pytest.raises(ModelError, match="has no draws"):
        improper.sample(None, ())


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("name", [name for name in INSIDE if "Flat" not in name])
def test_draws_follow_the_distribution(name):
    n = 4000
    distribution = getattr(ex, name)(*INSIDE[name])
    draws = np.asarray(distribution.sample(jax.random.key(8), (n,)))
    frozen = SCIPY.get(name, lambda *_: None)(*INSIDE[name])
    if name == "Gamma":
        frozen = stats.gamma(INSIDE[name][0], scale=1 / INSIDE[name][1])
    elif name == "Beta":
        frozen = stats.beta(*INSIDE[name])
    elif name == "StudentT":
        frozen = stats.t(*INSIDE[name])
    assert stats.kstest(draws, frozen.cdf).pvalue > 1e-3
