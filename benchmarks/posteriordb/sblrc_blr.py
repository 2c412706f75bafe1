"""A linear regression on columns of large numbers, whose coefficients are known to a thousandth."""

import exmc_actors as ex


def model(data):
    b = ex.Builder()
    beta = b.rv("beta", ex.Normal(0.0, 10.0), shape=data["D"])
    sigma = b.rv("sigma", ex.HalfNormal(10.0))
    b.obs("y", ex.Normal(ex.math.dot(data["X"], beta), sigma), data["y"])
    return b.model()
