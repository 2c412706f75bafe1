"""A Gaussian process at eleven places, with a squared exponential kernel, exactly."""

import numpy as np

import exmc_actors as ex


def model(data):
    x = np.asarray(data["x"], dtype=float)
    b = ex.Builder()
    rho = b.rv("rho", ex.Gamma(25.0, 4.0))
    alpha = b.rv("alpha", ex.HalfNormal(2.0))
    sigma = b.rv("sigma", ex.HalfNormal(1.0))
    squares = (x[:, None] - x[None, :]) ** 2
    # The noise on the diagonal is sigma as it is, not squared.
    cov = alpha**2 * ex.math.exp(-0.5 * squares / rho**2) + sigma * np.eye(len(x))
    b.obs("y", ex.MvNormal(0.0, cov), data["y"])
    return b.model()
