"""Distributions of the user's own: the same as the library's where they say the same, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import exmc_actors.model as ex
from exmc_actors.compiler import compile
from exmc_actors.errors import ModelError
from exmc_actors.xla import precise

Y = np.array([0.3, -1.2, 2.5])


def log_normal_of(x, mu, sigma):
    return -0.5 * ((x - mu) / sigma) ** 2 - jnp.log(sigma) - 0.5 * jnp.log(2.0 * jnp.pi)


def model(normal):
    b = ex.Builder()
    mu = b.rv("mu", normal(0.0, 2.0))
    sigma = b.rv("sigma", ex.Custom(lambda x: -x, support="positive", name="exponential"))
    b.obs("y", normal(mu, sigma), Y)
    return b.model()


def test_a_function_that_says_the_same_as_the_library_has_the_same_density_and_gradient():
    ours = compile(model(lambda mu, sigma: ex.Custom(log_normal_of, mu, sigma)))
    wanted = compile(model(ex.Normal))
    flat = np.array([0.7, -0.3])
    value, slope = ours.log_density_and_grad(flat)
    known_value, known_slope = wanted.log_density_and_grad(flat)
    assert value == pytest.approx(known_value, rel=1e-14)
    np.testing.assert_allclose(slope, known_slope, rtol=1e-13)


def test_models_of_one_function_share_their_key_and_those_of_two_do_not():
    def other(x, mu, sigma):
        return log_normal_of(x, mu, sigma)

    def built(function):
        b = ex.Builder()
        b.rv("x", ex.Custom(function, 0.0, 1.0))
        return b.model()

    other.__name__ = log_normal_of.__name__
    assert built(log_normal_of).key == built(log_normal_of).key
    assert built(log_normal_of).key != built(other).key


def test_new_arguments_keep_the_key():
    b = ex.Builder()
    at = b.data("at", np.zeros(2))
    b.rv("x", ex.Custom(log_normal_of, at, 1.0), shape=2)
    built = b.model()
    assert built.with_data(at=np.ones(2)).key == built.key


def test_a_vector_whose_entries_belong_together_is_one_event():
    b = ex.Builder()
    b.rv("x", ex.Custom(lambda x: -0.5 * jnp.sum(jnp.diff(x, prepend=0.0) ** 2), event_ndim=1), shape=4)
    flat = np.array([1.0, 3.0, 2.0, 2.0])
    assert compile(b.model()).log_density(flat) == pytest.approx(-0.5 * (1 + 4 + 1))


def test_a_simplex_of_ones_own_is_sampled_as_the_library_samples_it():
    b = ex.Builder()
    b.rv("w", ex.Custom(lambda w: jnp.sum(jnp.log(w), axis=-1), support="simplex"), shape=3)
    c = ex.Builder()
    c.rv("w", ex.Dirichlet(np.full(3, 2.0)))
    at = np.array([0.2, -1.0]), np.array([1.5, 0.5])
    ours, known = compile(b.model()), compile(c.model())
    difference = ours.log_density(at[0]) - ours.log_density(at[1])
    assert difference == pytest.approx(known.log_density(at[0]) - known.log_density(at[1]), rel=1e-12)


def test_the_sampler_draws():
    coin = ex.Custom(log_normal_of, 3.0, 1.0, sampler=lambda key, shape, mu, sigma: jnp.full(shape, mu))
    assert (np.asarray(coin.sample(jax.random.key(0), (2, 3))) == 3.0).all()


def test_it_may_be_a_component_of_a_mixture():
    def built(*components):
        b = ex.Builder()
        b.rv("mu", ex.Normal(0.0, 1.0))
        b.obs("y", ex.Mixture(np.full(len(components), 1.0 / len(components)), list(components)), Y)
        return compile(b.model())

    normal, own = ex.Normal("mu", 1.0), ex.Custom(log_normal_of, "mu", 1.0)
    flat = np.array([0.4])
    assert built(own, normal).log_density(flat) == pytest.approx(built(normal).log_density(flat))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: ex.Custom(3.0), r"a function log_density\(x, \*arguments\) is expected, got 3.0"),
        (lambda: ex.Custom(log_normal_of, support="line"), "support must be one of real, positive"),
        (lambda: ex.Custom(log_normal_of, sampler=1), "sampler must be a function"),
        (
            lambda: ex.Custom(log_normal_of, support="simplex", event_ndim=0),
            "1 or more for support 'simplex'",
        ),
        (
            lambda: ex.Custom(log_normal_of, 0, 1).sample(None, ()),
            "has no sampler, so it cannot be predicted",
        ),
        (lambda: model(lambda m, s: ex.Custom(log_normal_of, m, s)).to_bytes(), "bytes hold no code"),
        (
            lambda: compile(model(lambda m, s: ex.Custom(lambda x: x.sum() * 0.0))).log_density(np.zeros(2)),
            r"returned shape \(\) for events of shape \(3,\)",
        ),
    ],
)
def test_what_cannot_be_gets_a_sentence(make, sentence):
    with pytest.raises(ModelError, match=sentence):
        make()


@pytest.mark.parametrize(
    "components",
    [
        [ex.GaussianRandomWalk(0.0, 1.0), ex.GaussianRandomWalk(0.0, 2.0)],
        [ex.AR1(0.5, 1.0), ex.AR1(0.1, 2.0)],
        [ex.Custom(lambda x: -jnp.sum(x**2, axis=-1), event_ndim=1)],
    ],
)
def test_vectors_of_any_length_can_be_mixed(components):
    b = ex.Builder()
    weights = np.full(len(components), 1.0 / len(components))
    b.rv("x", ex.Mixture(weights, components), shape=5)
    at = np.linspace(-1.0, 1.0, 5)
    with precise():
        expected = np.logaddexp.reduce([float(one.log_prob(at)) for one in components]) + np.log(weights[0])
    assert compile(b.model()).log_density(at) == pytest.approx(expected, rel=1e-12)
