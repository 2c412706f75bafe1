"""Children's test scores by their mothers' IQ: a line."""

import exmc_actors as ex


def model(data):
    b = ex.Builder()
    beta = b.rv("beta", ex.Flat(), shape=2)
    sigma = b.rv("sigma", ex.HalfCauchy(2.5))
    b.obs("kid_score", ex.Normal(beta[0] + beta[1] * data["mom_iq"], sigma), data["kid_score"])
    return b.model()
