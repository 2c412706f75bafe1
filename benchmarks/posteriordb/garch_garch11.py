"""GARCH(1,1): a variance that follows earlier shocks; a recurrence, and a bound that is an expression."""

import exmc_actors as ex


def model(data):
    y, first_scale = data["y"], data["sigma1"]
    b = ex.Builder()
    mu = b.rv("mu", ex.Flat())
    alpha0 = b.rv("alpha0", ex.HalfFlat())
    alpha1 = b.rv("alpha1", ex.Uniform(0.0, 1.0))
    beta1 = b.rv("beta1", ex.Uniform(0.0, 1.0 - alpha1))
    # Uniform between bounds has the density 1 / (1 - alpha1); here all pairs are equally likely.
    b.potential("flat", ex.math.log1p(-alpha1))

    def step(variance, shock):
        variance = alpha0 + alpha1 * shock**2 + beta1 * variance
        return variance, variance

    _, later = ex.math.scan(step, first_scale**2, y[:-1] - mu)
    variance = ex.math.concatenate([[first_scale**2], later])
    b.obs("y", ex.Normal(mu, ex.math.sqrt(variance)), y)
    return b.model()
