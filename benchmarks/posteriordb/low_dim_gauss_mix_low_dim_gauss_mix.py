"""A mixture of two normals, kept apart by the order of their means."""

import numpy as np

import exmc_actors as ex


def model(data):
    b = ex.Builder()
    mu = b.rv("mu", ex.Normal(0.0, 2.0), shape=2, transform=ex.transforms.Ordered())
    sigma = b.rv("sigma", ex.HalfNormal(2.0), shape=2)
    theta = b.rv("theta", ex.Beta(5.0, 5.0))
    weights = ex.math.stack([theta, 1.0 - theta])
    b.obs("y", ex.Mixture(weights, [ex.Normal(mu[k], sigma[k]) for k in range(2)]), data["y"])
    return b.model()


def initvals(data):
    """Return where chains start.

    A random start may have one wide component that holds everything: a mode by itself, 450 units of log
    density below the other, which no chain leaves.
    """
    return {"mu": np.quantile(data["y"], [0.25, 0.75]), "sigma": np.ones(2)}
