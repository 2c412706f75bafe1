"""Eight schools, declared centred, which the compiler turns into the other form, and non-centred by hand."""

import exmc_actors as ex


def model(data):
    b = ex.Builder()
    mu = b.rv("mu", ex.Normal(0.0, 5.0))
    tau = b.rv("tau", ex.HalfCauchy(5.0))
    theta = b.rv("theta", ex.Normal(mu, tau), shape=data["J"])
    b.obs("y", ex.Normal(theta, data["sigma"]), data["y"])
    return b.model()


def model_by_hand(data):
    b = ex.Builder()
    mu = b.rv("mu", ex.Normal(0.0, 5.0))
    tau = b.rv("tau", ex.HalfCauchy(5.0))
    z = b.rv("z", ex.Normal(0.0, 1.0), shape=data["J"])
    theta = b.det("theta", mu + tau * z)
    b.obs("y", ex.Normal(theta, data["sigma"]), data["y"])
    return b.model()
