import numpy as np
import pytest

import exmc_actors.model as ex
from exmc_actors.compiler import compile

SCHOOLS_Y = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
SCHOOLS_SIGMA = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])


def build(declare, **coords):
    """Return the model that ``declare`` puts into a new builder."""
    b = ex.Builder(coords=coords)
    declare(b)
    return b.model()


def eight_schools(centered=None):
    def declare(b):
        mu = b.rv("mu", ex.Normal(0.0, 5.0))
        tau = b.rv("tau", ex.HalfNormal(5.0))
        theta = b.rv("theta", ex.Normal(mu, tau), shape=8, centered=centered)
        b.obs("y", ex.Normal(theta, SCHOOLS_SIGMA), SCHOOLS_Y)
        b.det("effect", theta - mu)

    return build(declare)


def radon_like():
    rng = np.random.default_rng(7)
    county, floor = np.sort(rng.integers(0, 85, 919)), rng.integers(0, 2, 919)

    def declare(b):
        mu, tau = b.rv("mu", ex.Normal(0.0, 5.0)), b.rv("tau", ex.HalfNormal(1.0))
        level = b.rv("level", ex.Normal(mu, tau), shape=85)
        slope, sigma = b.rv("slope", ex.Normal(0.0, 5.0)), b.rv("sigma", ex.HalfNormal(2.0))
        b.obs("y", ex.Normal(level[county] + slope * floor, sigma), rng.normal(size=919))

    return build(declare)


@pytest.fixture
def schools():
    return compile(eight_schools())
