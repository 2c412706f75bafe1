"""Compare a target with what its library says of the same model, at random points."""

import numpy as np

import exmc_actors as ex
from tests.elsewhere.data import SCHOOLS_SIGMA, SCHOOLS_Y

POINTS = 200


def points(target, seed=0):
    return np.random.default_rng(seed).normal(0.0, 1.2, (POINTS, target.dim))


def check_log_density(target, library_value_and_grad):
    """At 200 points, value and gradient are the library's, to 1e-9; and the terms sum to the value."""
    flat = points(target)
    ours = [target.log_density_and_grad(q) for q in flat]
    values, slopes = library_value_and_grad(flat)
    assert np.all(np.isfinite(values))
    np.testing.assert_allclose([value for value, _ in ours], values, rtol=1e-9)
    # An entry of a gradient may cancel to nearly nothing: it is as exact as the largest one is.
    scale = np.abs(slopes).max(axis=1, keepdims=True)
    np.testing.assert_allclose(np.array([slope for _, slope in ours]) / scale, slopes / scale, atol=1e-9)
    for q, value in zip(flat[:3], values, strict=False):
        np.testing.assert_allclose(sum(target.terms(q).values()), value, rtol=1e-9)


def check_values(target, library_constrain):
    """At 200 points the named values are the library's, and the way back leads where it began."""
    for q in points(target, seed=1):
        values = target.constrain(q)
        expected = library_constrain(q)
        assert list(values) == list(target.values_layout.names)
        for name, value in values.items():
            np.testing.assert_allclose(value, expected[name], rtol=1e-9, atol=1e-12)
    for q in points(target, seed=2)[:10]:
        np.testing.assert_allclose(target.unconstrain(target.constrain(q)), q, rtol=1e-7, atol=1e-7)


def check_posterior(tree):
    """The posterior means of the eight schools are those of the same model built here, within 4 errors.

    Ten quantities: a false alarm in one of 1,500 seeds.
    """
    b = ex.Builder()
    mu, tau = b.rv("mu", ex.Normal(0.0, 5.0)), b.rv("tau", ex.HalfNormal(5.0))
    z = b.rv("z", ex.Normal(0.0, 1.0), shape=8)
    theta = b.det("theta", mu + tau * z)
    b.obs("y", ex.Normal(theta, SCHOOLS_SIGMA), SCHOOLS_Y)
    other = ex.sample(b.model(), draws=4000, target_accept=0.95, random_seed=2, progressbar=False)
    one, two = (ex.summary(t, var_names=["mu", "tau", "theta"]) for t in (tree, other))
    error = np.hypot(one["mcse_mean"].to_numpy(), two["mcse_mean"].to_numpy())
    assert np.all(np.abs(one["mean"].to_numpy() - two["mean"].to_numpy()) < 4.0 * error)
