"""The models of ``suite`` in PyMC, with the same parameters in the same order, for PyMC and nutpie."""

import numpy as np
import pymc as pm


def simple(y):
    mu, sigma = pm.Normal("mu", 0, 10), pm.Exponential("sigma", 1)
    pm.Normal("y", mu, sigma, observed=y)


def medium(y_a, y_b):
    mu, scale = pm.Normal("mu", 0, 10), pm.Exponential("scale", 1)
    alpha, beta = pm.Normal("alpha", mu, scale), pm.Normal("beta", mu, scale)
    sigma = pm.Exponential("sigma", 2)
    pm.Normal("y_a", alpha, sigma, observed=y_a)
    pm.Normal("y_b", beta, sigma, observed=y_b)


def stress(y_0, y_1, y_2):
    mu, scale = pm.Normal("mu", 0, 10), pm.Exponential("scale", 0.5)
    for j, y in enumerate((y_0, y_1, y_2)):
        group = pm.Normal(f"group_{j}", mu, scale)
        pm.Normal(f"y_{j}", group, pm.Exponential(f"noise_{j}", 1), observed=y)


def eight_schools(y, error):
    mu, tau = pm.Normal("mu", 0, 5), pm.HalfNormal("tau", 5)
    z = pm.Normal("z", 0, 1, shape=8)
    pm.Normal("y", mu + tau * z, error, observed=y)


def funnel():
    v, z = pm.Normal("v", 0, 3), pm.Normal("z", 0, 1, shape=9)
    pm.Deterministic("x", z * pm.math.exp(v / 2))


def logistic(x, y):
    alpha, beta = pm.Normal("alpha", 0, 10), pm.Normal("beta", 0, 10, shape=20)
    pm.Bernoulli("y", logit_p=alpha + x @ beta, observed=y)


def volatility(returns):
    # PyTensor inverts a plain 50 in single precision.
    sigma, nu = pm.Exponential("sigma", np.float64(50)), pm.Exponential("nu", np.float64(0.1))
    z = pm.Normal("z", 0, 1, shape=100)
    pm.StudentT("returns", nu=nu, mu=0, sigma=pm.math.exp((sigma * z).cumsum()), observed=returns)


def radon(county, floor, log_radon):
    mu, tau = pm.Normal("mu", 0, 5), pm.HalfNormal("tau", 1)
    z = pm.Normal("z", 0, 1, shape=85)
    slope, sigma = pm.Normal("slope", 0, 5), pm.HalfNormal("sigma", 2)
    pm.Normal("log_radon", (mu + tau * z)[county] + slope * floor, sigma, observed=log_radon)


def big_logistic(x, y):
    beta = pm.Normal("beta", 0, 1, shape=50)
    pm.Bernoulli("y", logit_p=x @ beta, observed=y)


def linear(x, y):
    alpha, beta = pm.Normal("alpha", 0, 10), pm.Normal("beta", 0, 10, shape=20)
    sigma = pm.HalfNormal("sigma", 5)
    pm.Normal("y", alpha + x @ beta, sigma, observed=y)


def primer():
    """Fill caches with what every model needs: none of those measured."""
    location, scale = pm.Laplace("location", 0, 2, shape=3), pm.Gamma("scale", 2, 2)
    pm.Normal("y", location, scale, observed=[0.5, -0.5, 1.0])
