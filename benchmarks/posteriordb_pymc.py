"""The posteriors of ``posteriordb`` in PyMC, with the same parameters, for PyMC and nutpie."""

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt


def _line(name, x, y, scale):
    beta = pm.Flat("beta", shape=2)
    pm.Normal(name, beta[0] + beta[1] * np.asarray(x, float), scale(), observed=np.asarray(y, float))


def earnings_logearn_height(data):
    _line("log_earn", data["height"], np.log(data["earn"]), lambda: pm.HalfFlat("sigma"))


def kidiq_kidscore_momiq(data):
    _line("kid_score", data["mom_iq"], data["kid_score"], lambda: pm.HalfCauchy("sigma", 2.5))


def mesquite_logmesquite_logvolume(data):
    volume = np.log(data["diam1"]) + np.log(data["diam2"]) + np.log(data["canopy_height"])
    _line("log_weight", volume, np.log(data["weight"]), lambda: pm.HalfFlat("sigma"))


def eight_schools_eight_schools_noncentered(data):
    mu, tau = pm.Normal("mu", 0, 5), pm.HalfCauchy("tau", 5)
    z = pm.Normal("z", 0, 1, shape=data["J"])
    theta = pm.Deterministic("theta", mu + tau * z)
    pm.Normal("y", theta, np.asarray(data["sigma"], float), observed=np.asarray(data["y"], float))


def garch_garch11(data):
    y, first = np.asarray(data["y"]), data["sigma1"] ** 2
    mu, alpha0 = pm.Flat("mu"), pm.HalfFlat("alpha0")
    alpha1 = pm.Uniform("alpha1", 0, 1)
    beta1 = pm.Uniform("beta1", 0, 1 - alpha1)
    pm.Potential("flat", pt.log1p(-alpha1))

    def step(shock, variance, alpha0, alpha1, beta1):
        return alpha0 + alpha1 * shock**2 + beta1 * variance

    later = pytensor.scan(
        step,
        sequences=[y[:-1] - mu],
        outputs_info=[pt.as_tensor_variable(np.float64(first))],
        non_sequences=[alpha0, alpha1, beta1],
        strict=True,
        return_updates=False,
    )
    pm.Normal("y", mu, pt.sqrt(pt.concatenate([[np.float64(first)], later])), observed=y)


def gp_pois_regr_gp_regr(data):
    x = np.asarray(data["x"], float)
    rho, alpha = pm.Gamma("rho", alpha=25, beta=4), pm.HalfNormal("alpha", 2)
    sigma = pm.HalfNormal("sigma", 1)
    squares = (x[:, None] - x[None, :]) ** 2
    cov = alpha**2 * pt.exp(-0.5 * squares / rho**2) + sigma * np.eye(len(x))
    pm.MvNormal("y", np.zeros(len(x)), cov, observed=np.asarray(data["y"]))


def kilpisjarvi_mod_kilpisjarvi(data):
    alpha = pm.Normal("alpha", data["pmualpha"], data["psalpha"])
    beta = pm.Normal("beta", data["pmubeta"], data["psbeta"])
    mean = alpha + beta * np.asarray(data["x"], float)
    pm.Normal("y", mean, pm.HalfFlat("sigma"), observed=np.asarray(data["y"]))


def low_dim_gauss_mix_low_dim_gauss_mix(data):
    # PyMC starts a variable at its prior's mean, where an ordered pair cannot be.
    ordered = pm.distributions.transforms.ordered
    mu = pm.Normal("mu", 0, 2, shape=2, transform=ordered, initval=np.array([-1.0, 1.0]))
    sigma, theta = pm.HalfNormal("sigma", 2, shape=2), pm.Beta("theta", 5, 5)
    pm.NormalMixture("y", pt.stack([theta, 1 - theta]), mu, sigma, observed=np.asarray(data["y"]))


def nes1992_nes(data):
    age = np.asarray(data["age_discrete"])
    columns = [
        np.ones(data["N"]),
        data["real_ideo"],
        data["race_adj"],
        *(age == group for group in (2, 3, 4)),
        data["educ1"],
        data["gender"],
        data["income"],
    ]
    mean = np.column_stack(columns).astype(float) @ pm.Flat("beta", shape=9)
    pm.Normal("partyid7", mean, pm.HalfFlat("sigma"), observed=np.asarray(data["partyid7"], float))


def sblrc_blr(data):
    beta, sigma = pm.Normal("beta", 0, 10, shape=data["D"]), pm.HalfNormal("sigma", 10)
    pm.Normal("y", np.asarray(data["X"], float) @ beta, sigma, observed=np.asarray(data["y"], float))
