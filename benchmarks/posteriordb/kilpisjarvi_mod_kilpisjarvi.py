"""Summer temperatures by year: a line whose intercept lies 3,980 years away from the data."""

import numpy as np

import exmc_actors as ex


def model(data):
    b = ex.Builder()
    alpha = b.rv("alpha", ex.Normal(data["pmualpha"], data["psalpha"]))
    beta = b.rv("beta", ex.Normal(data["pmubeta"], data["psbeta"]))
    sigma = b.rv("sigma", ex.HalfFlat())
    b.obs("y", ex.Normal(alpha + beta * data["x"], sigma), data["y"])
    return b.model()


def model_moved(data):
    """Return the same posterior, sampled in the level at the middle of the data instead of the intercept."""
    middle = float(np.mean(data["x"]))
    b = ex.Builder()
    beta = b.rv("beta", ex.Normal(data["pmubeta"], data["psbeta"]))
    level = ex.transforms.Affine(-beta * middle, 1.0)
    alpha = b.rv("alpha", ex.Normal(data["pmualpha"], data["psalpha"]), transform=level)
    sigma = b.rv("sigma", ex.HalfFlat())
    b.obs("y", ex.Normal(alpha + beta * data["x"], sigma), data["y"])
    return b.model()
