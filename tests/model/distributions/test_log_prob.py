"""Every log density against SciPy or mpmath, with its gradients, means and draws."""

import jax
import numpy as np
import pytest
from scipy import stats

import exmc_actors.model as ex
from exmc_actors.errors import ModelError
from tests.model.distributions.grids import PARAMETERS, SCIPY, reference


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("name", PARAMETERS)
def test_agrees_with_scipy_or_forty_digits(name):
    for parameters, x, wanted in reference(name):
        ours = np.asarray(getattr(ex, name)(*parameters).log_prob(x))
        known = np.isfinite(wanted)
        np.testing.assert_allclose(
            ours[known], wanted[known], rtol=1e-10, atol=1e-13, err_msg=f"{name}{parameters}"
        )
        assert (ours[~known] < -600).all()


INSIDE = {
    "Normal": (0.4, 1.7),
    "HalfNormal": (1.7,),
    "Exponential": (0.8,),
    "Gamma": (2.3, 0.7),
    "Beta": (2.3, 0.7),
    "Uniform": (-0.5, 1.5),
    "StudentT": (3.1, 0.4, 1.7),
    "Cauchy": (0.4, 1.7),
    "HalfCauchy": (1.7,),
    "LogNormal": (0.4, 1.7),
    "Flat": (),
    "HalfFlat": (),
}


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("name", INSIDE)
def test_gradients_agree_with_central_differences(name):
    def total(x, *parameters):
        return getattr(ex, name)(*parameters).log_prob(x)

    at = (0.6, *INSIDE[name])
    slopes = jax.grad(total, argnums=tuple(range(len(at))))(*at)
    for i, slope in enumerate(slopes):
        up, down = ((*at[:i], at[i] + h, *at[i + 1 :]) for h in (1e-6, -1e-6))
        difference = float(total(*up) - total(*down)) / 2e-6
        assert float(slope) == pytest.approx(difference, abs=1e-8, rel=1e-7)


OUTSIDE = {
    "HalfNormal": -1.0,
    "Exponential": -1e-9,
    "Gamma": 0.0,
    "Beta": 1.0,
    "Uniform": 1.6,
    "HalfCauchy": -2.0,
    "LogNormal": 0.0,
    "HalfFlat": -0.1,
}


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("name", OUTSIDE)
def test_is_minus_infinity_outside_the_support_with_a_finite_gradient(name):
    def total(x, *parameters):
        return getattr(ex, name)(*parameters).log_prob(x)

    at = (OUTSIDE[name], *INSIDE[name])
    assert total(*at) == -np.inf
    slopes = jax.grad(lambda *a: total(*a).sum(), argnums=tuple(range(len(at))))(*at)
    assert all(np.isfinite(slopes))


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("name", [name for name in SCIPY if name not in ("Cauchy", "HalfCauchy")])
def test_mean_is_scipys(name):
    parameters = INSIDE[name]
    assert float(getattr(ex, name)(*parameters).mean()) == pytest.approx(SCIPY[name](*parameters).mean())


@pytest.mark.usefixtures("exact")
def test_means_of_the_others():
    assert ex.Gamma(3.0, 2.0).mean() == 1.5
    assert ex.Beta(3.0, 1.0).mean() == 0.75
    assert ex.StudentT(3.0, 2.0, 1.0).mean() == 2.0
    assert np.isnan(ex.StudentT(1.0, 2.0, 1.0).mean())
    assert np.isnan(ex.Cauchy(0.0, 1.0).mean())
    assert ex.HalfCauchy(1.0).mean() == np.inf


@pytest.mark.parametrize("improper", [ex.Flat(), ex.HalfFlat()])
def test_an_improper_prior_has_neither_mean_nor_draws(improper):
    with pytest.raises(ModelError, match=r"has no mean: it is no probability distribution\. Write .*Normal"):
        improper.mean()
    with pytest.raises(ModelError, match="has no draws"):
        improper.sample(None, ())


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("name", [name for name in INSIDE if "Flat" not in name])
def test_draws_follow_the_distribution(name):
    n = 4000
    distribution = getattr(ex, name)(*INSIDE[name])
    draws = np.asarray(distribution.sample(jax.random.key(8), (n,)))
    frozen = SCIPY.get(name, lambda *_: None)(*INSIDE[name])
    if name == "Gamma":
        frozen = stats.gamma(INSIDE[name][0], scale=1 / INSIDE[name][1])
    elif name == "Beta":
        frozen = stats.beta(*INSIDE[name])
    elif name == "StudentT":
        frozen = stats.t(*INSIDE[name])
    assert stats.kstest(draws, frozen.cdf).pvalue > 1e-3
