"""The models of ``suite`` in NumPyro, with the same parameters, for NumPyro and BlackJAX."""

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from numpyro import sample


def _normals(name, scale, size):
    return sample(name, dist.Normal(0.0, scale).expand([size]).to_event(1))


def simple(y):
    mu, sigma = sample("mu", dist.Normal(0.0, 10.0)), sample("sigma", dist.Exponential(1.0))
    sample("y", dist.Normal(mu, sigma), obs=y)


def medium(y_a, y_b):
    mu, scale = sample("mu", dist.Normal(0.0, 10.0)), sample("scale", dist.Exponential(1.0))
    alpha, beta = sample("alpha", dist.Normal(mu, scale)), sample("beta", dist.Normal(mu, scale))
    sigma = sample("sigma", dist.Exponential(2.0))
    sample("y_a", dist.Normal(alpha, sigma), obs=y_a)
    sample("y_b", dist.Normal(beta, sigma), obs=y_b)


def stress(y_0, y_1, y_2):
    mu, scale = sample("mu", dist.Normal(0.0, 10.0)), sample("scale", dist.Exponential(0.5))
    for j, y in enumerate((y_0, y_1, y_2)):
        group = sample(f"group_{j}", dist.Normal(mu, scale))
        sample(f"y_{j}", dist.Normal(group, sample(f"noise_{j}", dist.Exponential(1.0))), obs=y)


def eight_schools(y, error):
    mu, tau = sample("mu", dist.Normal(0.0, 5.0)), sample("tau", dist.HalfNormal(5.0))
    z = _normals("z", 1.0, 8)
    sample("y", dist.Normal(mu + tau * z, error), obs=y)


def funnel():
    v, z = sample("v", dist.Normal(0.0, 3.0)), _normals("z", 1.0, 9)
    numpyro.deterministic("x", z * jnp.exp(v / 2))


def logistic(x, y):
    alpha, beta = sample("alpha", dist.Normal(0.0, 10.0)), _normals("beta", 10.0, 20)
    sample("y", dist.BernoulliLogits(alpha + x @ beta), obs=y)


def volatility(returns):
    sigma, nu = sample("sigma", dist.Exponential(50.0)), sample("nu", dist.Exponential(0.1))
    z = _normals("z", 1.0, 100)
    sample("returns", dist.StudentT(nu, 0.0, jnp.exp(jnp.cumsum(sigma * z))), obs=returns)


def radon(county, floor, log_radon):
    mu, tau = sample("mu", dist.Normal(0.0, 5.0)), sample("tau", dist.HalfNormal(1.0))
    z = _normals("z", 1.0, 85)
    slope, sigma = sample("slope", dist.Normal(0.0, 5.0)), sample("sigma", dist.HalfNormal(2.0))
    sample("log_radon", dist.Normal((mu + tau * z)[county] + slope * floor, sigma), obs=log_radon)


def big_logistic(x, y):
    sample("y", dist.BernoulliLogits(x @ _normals("beta", 1.0, 50)), obs=y)


def linear(x, y):
    alpha, beta = sample("alpha", dist.Normal(0.0, 10.0)), _normals("beta", 10.0, 20)
    sample("y", dist.Normal(alpha + x @ beta, sample("sigma", dist.HalfNormal(5.0))), obs=y)
