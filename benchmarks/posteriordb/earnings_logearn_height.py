"""Log earnings by height: a line under flat priors."""

import numpy as np

import exmc_actors as ex


def model(data):
    b = ex.Builder()
    beta = b.rv("beta", ex.Flat(), shape=2)
    sigma = b.rv("sigma", ex.HalfFlat())
    b.obs("log_earn", ex.Normal(beta[0] + beta[1] * data["height"], sigma), np.log(data["earn"]))
    return b.model()
