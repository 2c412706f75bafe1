"""The nine models that speed is measured on, with data from fixed seeds; it measures nothing itself."""

import numpy as np

import exmc_actors as ex

SCHOOLS_Y = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
SCHOOLS_SIGMA = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])


def simple_data():
    return {"y": np.random.default_rng(42).normal(3, 1.5, 50)}


def medium_data():
    rng = np.random.default_rng(42)
    rng.normal(3, 1.5, 50)
    return {"y_a": rng.normal(4, 0.8, 30), "y_b": rng.normal(7, 0.8, 30)}


def stress_data():
    rng = np.random.default_rng(42)
    rng.normal(size=110)
    return {f"y_{j}": rng.normal(mean, 1, 40) for j, mean in enumerate((0.5, 3.0, 5.5))}


def schools_data():
    return {"y": SCHOOLS_Y, "error": SCHOOLS_SIGMA}


def logistic_data():
    rng = np.random.default_rng(123)
    beta, x = rng.normal(0, 0.3, 20), rng.normal(size=(500, 20))
    return {"x": x, "y": rng.binomial(1, 1 / (1 + np.exp(-(0.5 + x @ beta))))}


def volatility_data():
    rng = np.random.default_rng(456)
    log_scale = np.cumsum(rng.normal(0, 0.15, 100))
    return {"returns": np.exp(log_scale) * rng.standard_t(10, 100)}


def radon_data():
    rng = np.random.default_rng(7)
    county, floor = np.sort(rng.integers(0, 85, 919)), rng.binomial(1, 0.2, 919).astype(float)
    level = 1.3 + 0.3 * rng.normal(size=85)
    y = level[county] - 0.65 * floor + 0.75 * rng.normal(size=919)
    return {"county": county, "floor": floor, "log_radon": y}


def big_data():
    rng = np.random.default_rng(8)
    x, beta = rng.normal(size=(5000, 50)), 0.3 * rng.normal(size=50)
    return {"x": x, "y": rng.binomial(1, 1 / (1 + np.exp(-x @ beta)))}


def simple(y):
    b = ex.Builder()
    mu, sigma = b.rv("mu", ex.Normal(0.0, 10.0)), b.rv("sigma", ex.Exponential(1.0))
    b.obs("y", ex.Normal(mu, sigma), y)
    return b.model()


def medium(y_a, y_b):
    b = ex.Builder()
    mu, scale = b.rv("mu", ex.Normal(0.0, 10.0)), b.rv("scale", ex.Exponential(1.0))
    alpha = b.rv("alpha", ex.Normal(mu, scale), centered=True)
    beta = b.rv("beta", ex.Normal(mu, scale), centered=True)
    sigma = b.rv("sigma", ex.Exponential(2.0))
    b.obs("y_a", ex.Normal(alpha, sigma), y_a)
    b.obs("y_b", ex.Normal(beta, sigma), y_b)
    return b.model()


def stress(y_0, y_1, y_2):
    b = ex.Builder()
    mu, scale = b.rv("mu", ex.Normal(0.0, 10.0)), b.rv("scale", ex.Exponential(0.5))
    for j, y in enumerate((y_0, y_1, y_2)):
        group = b.rv(f"group_{j}", ex.Normal(mu, scale), centered=True)
        b.obs(f"y_{j}", ex.Normal(group, b.rv(f"noise_{j}", ex.Exponential(1.0))), y)
    return b.model()


def eight_schools(y, error):
    b = ex.Builder()
    mu, tau = b.rv("mu", ex.Normal(0.0, 5.0)), b.rv("tau", ex.HalfNormal(5.0))
    z = b.rv("z", ex.Normal(0.0, 1.0), shape=8)
    b.obs("y", ex.Normal(mu + tau * z, error), y)
    return b.model()


def funnel():
    b = ex.Builder()
    v, z = b.rv("v", ex.Normal(0.0, 3.0)), b.rv("z", ex.Normal(0.0, 1.0), shape=9)
    b.det("x", z * ex.math.exp(v / 2.0))
    return b.model()


def logistic(x, y):
    b = ex.Builder()
    alpha, beta = b.rv("alpha", ex.Normal(0.0, 10.0)), b.rv("beta", ex.Normal(0.0, 10.0), shape=20)
    b.obs("y", ex.BernoulliLogit(alpha + b.data("x", x) @ beta), y)
    return b.model()


def volatility(returns):
    b = ex.Builder()
    sigma, nu = b.rv("sigma", ex.Exponential(50.0)), b.rv("nu", ex.Exponential(0.1))
    z = b.rv("z", ex.Normal(0.0, 1.0), shape=100)
    b.obs("returns", ex.StudentT(nu, 0.0, ex.math.exp(ex.math.cumsum(sigma * z))), returns)
    return b.model()


def radon(county, floor, log_radon):
    b = ex.Builder()
    mu, tau = b.rv("mu", ex.Normal(0.0, 5.0)), b.rv("tau", ex.HalfNormal(1.0))
    z = b.rv("z", ex.Normal(0.0, 1.0), shape=85)
    slope, sigma = b.rv("slope", ex.Normal(0.0, 5.0)), b.rv("sigma", ex.HalfNormal(2.0))
    mean = (mu + tau * z)[b.data("county", county)] + slope * b.data("floor", floor)
    b.obs("log_radon", ex.Normal(mean, sigma), log_radon)
    return b.model()


def big_logistic(x, y):
    b = ex.Builder()
    beta = b.rv("beta", ex.Normal(0.0, 1.0), shape=50)
    b.obs("y", ex.BernoulliLogit(b.data("x", x) @ beta), y)
    return b.model()


def linear_data():
    rng = np.random.default_rng(9)
    x = rng.normal(size=(2000, 20))
    return {"x": x, "y": 1.0 + x @ rng.normal(size=20) + rng.normal(size=2000)}


def linear(x, y):
    b = ex.Builder()
    alpha, beta = b.rv("alpha", ex.Normal(0.0, 10.0)), b.rv("beta", ex.Normal(0.0, 10.0), shape=20)
    sigma = b.rv("sigma", ex.HalfNormal(5.0))
    b.obs("y", ex.Normal(alpha + b.data("x", x) @ beta, sigma), y)
    return b.model()


DATA = {
    "simple": simple_data,
    "medium": medium_data,
    "stress": stress_data,
    "eight_schools": schools_data,
    "funnel": dict,
    "logistic": logistic_data,
    "volatility": volatility_data,
    "radon": radon_data,
    "big_logistic": big_data,
    "linear": linear_data,
}
MODELS = {
    "simple": simple,
    "medium": medium,
    "stress": stress,
    "eight_schools": eight_schools,
    "funnel": funnel,
    "logistic": logistic,
    "volatility": volatility,
    "radon": radon,
    "big_logistic": big_logistic,
    "linear": linear,
}
