"""The posteriors of ``posteriordb`` in NumPyro, with the same parameters, for NumPyro and BlackJAX."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro import sample
from numpyro.distributions import constraints


def _flat(name, support=constraints.real, shape=()):
    return sample(name, dist.ImproperUniform(support, (), shape))


def _line(name, x, y, scale):
    beta = _flat("beta", constraints.real_vector, (2,))
    mean = beta[0] + beta[1] * np.asarray(x, float)
    sample(name, dist.Normal(mean, scale()), obs=np.asarray(y, float))


def _flat_scale():
    return _flat("sigma", constraints.positive)


def earnings_logearn_height(data):
    _line("log_earn", data["height"], np.log(data["earn"]), _flat_scale)


def kidiq_kidscore_momiq(data):
    _line("kid_score", data["mom_iq"], data["kid_score"], lambda: sample("sigma", dist.HalfCauchy(2.5)))


def mesquite_logmesquite_logvolume(data):
    volume = np.log(data["diam1"]) + np.log(data["diam2"]) + np.log(data["canopy_height"])
    _line("log_weight", volume, np.log(data["weight"]), _flat_scale)


def eight_schools_eight_schools_noncentered(data):
    mu, tau = sample("mu", dist.Normal(0.0, 5.0)), sample("tau", dist.HalfCauchy(5.0))
    z = sample("z", dist.Normal(0.0, 1.0).expand([data["J"]]).to_event(1))
    theta = numpyro.deterministic("theta", mu + tau * z)
    sample("y", dist.Normal(theta, np.asarray(data["sigma"], float)), obs=np.asarray(data["y"], float))


def garch_garch11(data):
    y, first = np.asarray(data["y"]), data["sigma1"] ** 2
    mu, alpha0 = _flat("mu"), _flat("alpha0", constraints.positive)
    alpha1 = sample("alpha1", dist.Uniform(0.0, 1.0))
    beta1 = sample("beta1", dist.Uniform(0.0, 1.0 - alpha1))
    numpyro.factor("flat", jnp.log1p(-alpha1))

    def step(variance, shock):
        variance = alpha0 + alpha1 * shock**2 + beta1 * variance
        return variance, variance

    _, later = jax.lax.scan(step, jnp.asarray(first), y[:-1] - mu)
    variance = jnp.concatenate([jnp.array([first]), later])
    sample("y", dist.Normal(mu, jnp.sqrt(variance)), obs=y)


def gp_pois_regr_gp_regr(data):
    x = np.asarray(data["x"], float)
    rho, alpha = sample("rho", dist.Gamma(25.0, 4.0)), sample("alpha", dist.HalfNormal(2.0))
    sigma = sample("sigma", dist.HalfNormal(1.0))
    squares = (x[:, None] - x[None, :]) ** 2
    cov = alpha**2 * jnp.exp(-0.5 * squares / rho**2) + sigma * np.eye(len(x))
    sample("y", dist.MultivariateNormal(jnp.zeros(len(x)), cov), obs=np.asarray(data["y"]))


def kilpisjarvi_mod_kilpisjarvi(data):
    alpha = sample("alpha", dist.Normal(data["pmualpha"], data["psalpha"]))
    beta = sample("beta", dist.Normal(data["pmubeta"], data["psbeta"]))
    mean = alpha + beta * np.asarray(data["x"], float)
    sample("y", dist.Normal(mean, _flat_scale()), obs=np.asarray(data["y"]))


def low_dim_gauss_mix_low_dim_gauss_mix(data):
    mu = _flat("mu", constraints.ordered_vector, (2,))
    numpyro.factor("prior", dist.Normal(0.0, 2.0).log_prob(mu).sum())
    sigma = sample("sigma", dist.HalfNormal(2.0).expand([2]).to_event(1))
    theta = sample("theta", dist.Beta(5.0, 5.0))
    weights = dist.Categorical(probs=jnp.stack([theta, 1.0 - theta]))
    sample("y", dist.MixtureSameFamily(weights, dist.Normal(mu, sigma)), obs=np.asarray(data["y"]))


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
    mean = np.column_stack(columns).astype(float) @ _flat("beta", constraints.real_vector, (9,))
    sample("partyid7", dist.Normal(mean, _flat_scale()), obs=np.asarray(data["partyid7"], float))


def sblrc_blr(data):
    beta = sample("beta", dist.Normal(0.0, 10.0).expand([data["D"]]).to_event(1))
    mean = np.asarray(data["X"], float) @ beta
    sample("y", dist.Normal(mean, sample("sigma", dist.HalfNormal(10.0))), obs=np.asarray(data["y"], float))
