"""Log densities on grids that reach far into their tails, and improper priors."""

import jax
import numpy as np
import pytest

import exmc_actors.model as ex
from exmc_actors.errors import ModelError
from tests.model.distributions.grids import PARAMETERS, reference


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


@pytest.mark.usefixtures("exact")
def test_an_improper_prior_adds_nothing_inside_its_support():
    assert jax.value_and_grad(ex.Flat().log_prob)(-3.0) == (0.0, 0.0)
    assert jax.value_and_grad(ex.HalfFlat().log_prob)(3.0) == (0.0, 0.0)
    assert jax.value_and_grad(ex.HalfFlat().log_prob)(-0.1) == (-np.inf, 0.0)


@pytest.mark.parametrize("improper", [ex.Flat(), ex.HalfFlat()])
def test_an_improper_prior_has_neither_mean_nor_draws(improper):
    with pytest.raises(ModelError, match=r"has no mean: it is no probability distribution\. Write .*Normal"):
        improper.mean()
    with pytest.raises(ModelError, match="has no draws"):
        improper.sample(None, ())
