"""The metric learnt from a few draws against the covariance of the normal they came from."""

import numpy as np
import pytest

from exmc_actors.warmup.estimation import LARGEST_RANK, learn, rank_capacity, without_directions
from tests.kernel.metrics import matrix


def pairs_of(covariance, n, seed=0):
    """Return draws of a normal with their gradients, shape (n, 2, d)."""
    dim = len(covariance)
    positions = np.random.default_rng(seed).multivariate_normal(np.full(dim, 3.0), covariance, size=n)
    return np.stack([positions, -np.linalg.solve(covariance, (positions - 3.0).T).T], axis=1)


def previous(dim):
    return without_directions(np.full(dim, 7.0), rank_capacity(dim))


def condition(metric, covariance):
    """Return the condition number of the whitened normal."""
    a = np.linalg.inv(matrix(metric))
    eigenvalues = np.linalg.eigvalsh(a @ covariance @ a.T)
    return eigenvalues[-1] / eigenvalues[0]


@pytest.mark.parametrize("n", [2, 3, 50])
def test_the_scales_of_independent_normals_are_exact_from_two_draws_on(n):
    scales = np.array([1e-6, 1e-2, 1.0, 1e3, 1e8])
    metric = learn(pairs_of(np.diag(scales**2), n), previous(5), directions=False)
    np.testing.assert_allclose(metric.scale, scales, rtol=1e-7)
    assert metric.rank == 0


def correlated(dim, correlation):
    return correlation ** np.abs(np.subtract.outer(np.arange(dim), np.arange(dim)))


@pytest.mark.parametrize(("dim", "correlation"), [(2, 0.999), (10, 0.95), (50, 0.99)])
def test_a_correlated_normal_becomes_nearly_round(dim, correlation):
    covariance = correlated(dim, correlation)
    pairs = pairs_of(covariance, 20 * dim)
    assert condition(learn(pairs, previous(dim), directions=False), covariance) > 300
    assert condition(learn(pairs, previous(dim), directions=True), covariance) < 3


def test_one_strong_direction_in_many_dimensions_is_found_from_fewer_draws_than_dimensions():
    dim = 300
    direction = np.random.default_rng(2).normal(size=dim) / np.sqrt(dim)
    covariance = np.eye(dim) + 40.0 * np.outer(direction, direction)
    pairs = pairs_of(covariance, 100)
    metric = learn(pairs, previous(dim), directions=True)
    assert 1 <= metric.rank <= 4
    assert (
        condition(metric, covariance)
        < condition(learn(pairs, previous(dim), directions=False), covariance) / 3
    )


def test_the_projection_onto_the_draws_changes_nothing():
    """On the border, where twice as many draws as dimensions decide, both ways give the same map."""
    dim = 21
    pairs = pairs_of(correlated(dim, 0.9), 10)
    in_the_span = learn(pairs, previous(dim), directions=True)
    centred = pairs - pairs.mean(axis=0)
    x, y = centred[:, 0] / in_the_span.scale, centred[:, 1] * in_the_span.scale
    a, b = ((z.T @ z + np.eye(dim)) / 11.0 for z in (x, y))
    eigenvalues, vectors = np.linalg.eig(np.linalg.solve(b, np.linalg.inv(a)))  # (a b)^-1, whatever its basis
    root = b @ (vectors * np.sqrt(eigenvalues)) @ np.linalg.inv(vectors)
    mean = np.linalg.inv(root.real)  # S with S b S = a
    np.testing.assert_allclose(mean @ b @ mean, a, rtol=1e-6, atol=1e-8)
    values, vectors = np.linalg.eigh((mean + mean.T) / 2)
    far = np.abs(np.log(values)) > np.log(1.5)
    stretched = np.eye(dim) + (vectors[:, far] * (np.sqrt(values[far]) - 1.0)) @ vectors[:, far].T
    np.testing.assert_allclose(matrix(in_the_span), np.diag(in_the_span.scale) @ stretched, atol=1e-6)


def test_directions_are_orthonormal_and_no_more_than_there_is_room_for():
    dim = 2 * LARGEST_RANK
    metric = learn(pairs_of(correlated(dim, 0.999), 3 * dim), previous(dim), directions=True)
    assert metric.rank == LARGEST_RANK
    np.testing.assert_allclose(metric.directions @ metric.directions.T, np.eye(LARGEST_RANK), atol=1e-10)
    assert (metric.stretch > -1.0).all()


def test_what_says_nothing_leaves_what_was_there():
    pairs = pairs_of(np.eye(3), 20)
    pairs[:, :, 1] = 5.0  # a coordinate that never moved
    metric = learn(pairs, previous(3), directions=True)
    assert metric.scale[1] == 7.0
    for few in (pairs[:0], pairs[:1]):
        assert learn(few, previous(3), directions=True) is not None
        np.testing.assert_array_equal(learn(few, previous(3), directions=True).scale, np.full(3, 7.0))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e200, 5e-324])
def test_numbers_of_any_size_give_a_usable_metric(wrong):
    pairs = pairs_of(correlated(4, 0.9), 20)
    pairs[3, :, 2] = wrong
    metric = learn(pairs, previous(4), directions=True)
    assert np.isfinite(metric.scale).all()
    assert (metric.scale > 0).all()
    assert np.isfinite(metric.directions).all()
    assert np.isfinite(metric.stretch).all()
