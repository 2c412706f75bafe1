import numpy as np
import pytest

import exmc_actors.model as ex
from exmc_actors.errors import ModelError

SCHOOLS_Y = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
SCHOOLS_SIGMA = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])


def refuses(match):
    return pytest.raises(ModelError, match=match)


def eight_schools(b=None):
    b = ex.Builder(coords={"school": list("ABCDEFGH")}) if b is None else b
    mu = b.rv("mu", ex.Normal(0.0, 5.0))
    tau = b.rv("tau", ex.HalfNormal(5.0))
    theta = b.rv("theta", ex.Normal(mu, tau), dims="school")
    b.obs("y", ex.Normal(theta, SCHOOLS_SIGMA), SCHOOLS_Y, dims="school")
    b.det("effect", theta - mu, dims="school")
    return b.model()


@pytest.fixture
def schools():
    return eight_schools()


@pytest.fixture
def b():
    """A builder on which a location and a scale are declared."""
    builder = ex.Builder(coords={"school": list("ABCDEFGH")})
    builder.rv("mu", ex.Normal(0.0, 5.0))
    builder.rv("tau", ex.HalfNormal(5.0))
    return builder
