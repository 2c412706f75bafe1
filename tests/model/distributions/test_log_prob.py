"""Log densities on grids that reach far into their tails, and improper priors."""

import jax
import jax.numpy as jnp
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


IMPOSSIBLE = [
    (ex.Bernoulli, (1.5,), 1.0),
    (ex.Binomial, (3.0, -0.5), 0.0),
    (ex.Poisson, (-5.0,), 0.0),
    (ex.Geometric, (1.5,), 1.0),
    (ex.NegativeBinomial, (-1.0, 2.0), 0.0),
    (ex.BetaBinomial, (3.0, -1.5, 2.0), 0.0),
    (ex.ZeroInflatedPoisson, (1.5, 1.0), 3.0),
    (ex.Gamma, (-0.5, 1.0), 3.0),
    (ex.InverseGamma, (-0.5, 1.0), 3.0),
    (ex.ChiSquared, (-0.5,), 3.0),
    (ex.Beta, (-0.5, 1.0), 0.3),
    (ex.VonMises, (0.0, -1.5), 3.0),
    (ex.Categorical, ([1.5, -0.5],), 0.0),
    (ex.Categorical, ([0.5, 0.2],), 0.0),
    (ex.Multinomial, (3.0, [1.5, -0.5]), [3.0, 0.0]),
    (ex.Dirichlet, ([-0.5, 1.0],), [0.5, 0.5]),
    (ex.OrderedLogistic, (0.0, [1.5, -0.5]), 0.0),
]


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize(("kind", "parameters", "x"), IMPOSSIBLE)
def test_a_computed_parameter_that_is_impossible_makes_its_observation_so(kind, parameters, x):
    computed = [jnp.asarray(parameter) for parameter in parameters]
    assert jax.jit(lambda *given: kind(*given).log_prob(jnp.asarray(x)))(*computed) == -np.inf


@pytest.mark.usefixtures("exact")
def test_weights_of_a_mixture_that_are_none_make_it_impossible():
    parts = [ex.Normal(0.0, 1.0), ex.Normal(1.0, 1.0)]
    assert ex.Mixture(jnp.array([1.5, -0.5]), parts).log_prob(0.3) == -np.inf


@pytest.mark.usefixtures("exact")
def test_two_cutpoints_that_meet_leave_the_other_categories_possible():
    probabilities = ex.OrderedLogistic(0.0, jnp.array([0.5, 0.5])).log_prob(jnp.arange(3))
    wanted = [-np.log1p(np.exp(-0.5)), -np.inf, -np.log1p(np.exp(0.5))]
    np.testing.assert_allclose(probabilities, wanted, rtol=1e-12)


@pytest.mark.usefixtures("exact")
def test_an_outcome_that_neither_can_be_nor_was_leaves_the_slopes_finite():
    counts, p = jnp.array([3.0, 0.0]), jnp.array([1.0, 0.0])
    np.testing.assert_array_equal(
        jax.grad(lambda p: ex.Multinomial(3.0, p).log_kernel(counts))(p), [3.0, 0.0]
    )
