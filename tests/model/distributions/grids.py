"""Log densities by SciPy, or by mpmath where SciPy rounds, on grids of parameters and points."""

import mpmath
import numpy as np
from scipy import stats

SCALES = (1e-6, 0.3, 1.0, 40.0, 1e6)
SHAPES = (1e-6, 0.01, 0.5, 1.0, 1.0001, 2.0, 30.0, 1e4)
REAL = np.array([-1e8, -30.0, -1.0, -1e-9, 0.0, 0.7, 5.0, 1e3, 1e10])
POSITIVE = np.array([1e-300, 1e-8, 0.1, 1.0, 3.0, 50.0, 1e5, 1e12])
UNIT = np.array([1e-300, 1e-9, 0.1, 0.5, 0.9, 1 - 1e-12])

PARAMETERS = {
    "Normal": [(m, s) for m in (-1e3, 0.0, 2.0) for s in SCALES],
    "HalfNormal": [(s,) for s in SCALES],
    "Exponential": [(s,) for s in SCALES],
    "Uniform": [(-3.0, 5.0), (0.0, 1.0), (0.0, 1e12)],
    "Cauchy": [(m, s) for m in (-1e3, 0.0, 2.0) for s in SCALES],
    "HalfCauchy": [(s,) for s in SCALES],
    "LogNormal": [(m, s) for m in (-5.0, 0.0, 2.0) for s in (0.05, 1.0, 30.0)],
    "Gamma": [(a, b) for a in SHAPES for b in (1e-6, 0.5, 1e5)],
    "Beta": [(a, b) for a in SHAPES for b in SHAPES],
    "StudentT": [(n, 1.0, s) for n in (*SHAPES, 39.9, 40.1, 1e9) for s in (1e-5, 1.0, 1e4)],
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


def gamma(x, alpha, beta):
    log = mpmath.log
    return (alpha - 1) * log(x) - beta * x + alpha * log(beta) - mpmath.loggamma(alpha)


def beta(x, alpha, beta):
    between = mpmath.loggamma(alpha + beta) - mpmath.loggamma(alpha) - mpmath.loggamma(beta)
    return (alpha - 1) * mpmath.log(x) + (beta - 1) * mpmath.log1p(-x) + between


def student_t(x, nu, mu, sigma):
    height = mpmath.loggamma((nu + 1) / 2) - mpmath.loggamma(nu / 2) - mpmath.log(nu * mpmath.pi) / 2
    return height - mpmath.log(sigma) - (nu + 1) / 2 * mpmath.log1p(((x - mu) / sigma) ** 2 / nu)


FORTY_DIGITS = {"Gamma": gamma, "Beta": beta, "StudentT": student_t}


def points_of(name, parameters):
    """Return points all over the support."""
    if name == "Uniform":
        return np.linspace(*parameters, 7)
    if name == "Beta":
        return UNIT
    if name in ("Normal", "Cauchy", "StudentT"):
        return REAL
    return POSITIVE[:7] if name == "Gamma" else POSITIVE


def reference(name, every=1):
    """Yield parameters, points and the log densities there: -inf in far tails, where SciPy underflows."""
    for parameters in PARAMETERS[name][::every]:
        points = points_of(name, parameters)
        if name in SCIPY:
            wanted = SCIPY[name](*parameters).logpdf(points)
        else:
            wanted = in_forty_digits(FORTY_DIGITS[name], parameters, points)
        assert np.isfinite(wanted).sum() >= 3
        yield parameters, points, wanted


def in_forty_digits(formula, parameters, points):
    with mpmath.workdps(40):
        exact = [mpmath.mpf(float(parameter)) for parameter in parameters]
        return np.array([float(formula(mpmath.mpf(float(x)), *exact)) for x in points])
