"""The log weight of mesquite bushes by the log volume of their canopies: a line under flat priors."""

import numpy as np

import exmc_actors as ex


def model(data):
    log_volume = np.log(data["diam1"]) + np.log(data["diam2"]) + np.log(data["canopy_height"])
    b = ex.Builder()
    beta = b.rv("beta", ex.Flat(), shape=2)
    sigma = b.rv("sigma", ex.HalfFlat())
    b.obs("log_weight", ex.Normal(beta[0] + beta[1] * log_volume, sigma), np.log(data["weight"]))
    return b.model()
