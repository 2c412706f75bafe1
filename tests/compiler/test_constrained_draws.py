"""Draws of vectors that a transform constrains, at five standard errors: wrong by chance 6e-7."""

import numpy as np
import pytest
from scipy import stats

import exmc_actors.model as ex
from exmc_actors.compiler.over_draws import simulate
from exmc_actors.errors import ModelError

KEY = np.array([1, 2], np.uint32)
DRAWS = 20_000
ORDERED, ZERO_SUM, UNIT = ex.transforms.Ordered(), ex.transforms.ZeroSum(), ex.transforms.UnitVector()


def drawn(prior, transform, shape, count=DRAWS):
    """Return draws of one variable; the prior may be a function of a scale."""
    b = ex.Builder()
    scale = b.rv("scale", ex.HalfNormal(1.0))
    b.rv("x", prior(scale) if callable(prior) else prior, shape=shape, transform=transform)
    found = simulate(b.model(), ["x", "scale"], KEY, count)
    return found["x"], found["scale"]


def assert_mean(values, exact):
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    assert (np.abs(values.mean(axis=0) - exact) < 5.0 * error).all()


def test_increasing_vectors_are_order_statistics():
    x, _ = drawn(ex.Normal(2.0, 3.0), ORDERED, (2, 3))
    assert (np.diff(x, axis=-1) > 0.0).all()
    shares = stats.norm(2.0, 3.0).cdf(x).reshape(-1, 3)
    for k, column in enumerate(shares.T):
        assert stats.kstest(column, stats.beta(k + 1, 3 - k).cdf).pvalue > 1e-6


def test_an_increasing_vector_has_the_scale_of_its_draw():
    x, scale = drawn(lambda s: ex.Mixture([0.5, 0.5], [ex.Normal(0.0, s), ex.Cauchy(0.0, s)]), ORDERED, 4)
    assert (np.diff(x, axis=-1) > 0.0).all()
    assert np.median(np.abs(x).max(axis=1) / scale) < 5.0


def test_an_observed_increasing_vector_is_predicted_in_order():
    b = ex.Builder()
    b.rv("mu", ex.Normal(0.0, 1.0))
    x = b.rv("x", ex.Normal("mu", 1.0), shape=3, transform=ORDERED)
    b.obs("x", x, [1.0, 2.0, 3.0])
    assert (np.diff(simulate(b.model(), ["x"], KEY, 100)["x"], axis=-1) > 0.0).all()


@pytest.mark.parametrize("sigma", [2.0, np.array([1.0, 2.0, 3.0, 0.5])])
def test_normal_vectors_that_add_up_to_zero_are_the_conditional_normal(sigma):
    mu = np.array([1.0, 0.0, -2.0, 3.0])
    x, _ = drawn(ex.Normal(mu, sigma), ZERO_SUM, 4)
    assert np.abs(x.sum(axis=-1)).max() < 1e-12
    variances = np.broadcast_to(sigma, 4) ** 2.0
    mean = mu - variances * mu.sum() / variances.sum()
    covariance = np.diag(variances) - np.outer(variances, variances) / variances.sum()
    assert_mean(x, mean)
    products = (x - mean)[:, :, None] * (x - mean)[:, None, :]
    assert_mean(products.reshape(-1, 16), covariance.reshape(-1))


def test_vectors_that_add_up_to_zero_have_the_scale_of_their_draw():
    x, scale = drawn(lambda s: ex.Normal(0.0, s), ZERO_SUM, (3, 5))
    assert_mean((x / scale[:, None, None]).reshape(DRAWS, 15) ** 2, 0.8)


@pytest.mark.parametrize("prior", [ex.Flat(), ex.Normal(0.0, 3.0)])
def test_vectors_of_length_one_point_everywhere_alike(prior):
    x, _ = drawn(prior, UNIT, 3)
    np.testing.assert_allclose((x * x).sum(axis=-1), 1.0, rtol=1e-12)
    for column in x.T:  # Archimedes: each coordinate is uniform on the sphere
        assert stats.kstest(column, stats.uniform(-1.0, 2.0).cdf).pvalue > 1e-6


@pytest.mark.parametrize(
    ("prior", "transform", "sentence"),
    [
        (ex.Normal(np.zeros(3), 1.0), ORDERED, "^x: increasing values with different priors"),
        (ex.GaussianRandomWalk(1.0), ORDERED, "^x: increasing values with different priors"),
        (ex.Flat(), ORDERED, "^x: Flat has no draws"),
        (ex.StudentT(3.0, 0.0, 1.0), ZERO_SUM, "^x: values that add up to zero .* this is a StudentT: take"),
        (
            ex.Normal(1.0, 1.0),
            UNIT,
            "^x: vectors of length one can be drawn only if all directions are alike",
        ),
        (lambda s: ex.Normal(0.0, s), UNIT, "^x: vectors of length one can be drawn only if"),
    ],
)
def test_what_cannot_be_drawn_is_refused(prior, transform, sentence):
    with pytest.raises(ModelError, match=sentence):
        drawn(prior, transform, 3, count=2)
