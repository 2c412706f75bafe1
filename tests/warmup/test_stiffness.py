"""A step size that follows a change of the metric keeps the energy error that it had."""

import numpy as np
import pytest

from exmc_actors.kernel import Metric
from exmc_actors.warmup.estimation import without_directions
from exmc_actors.warmup.stiffness import log_step_size_changes

DIM = 6


def stretched(scale, stretch, seed=0):
    """Return a metric with two directions besides its scales."""
    rows = np.zeros((4, DIM))
    rows[:2] = np.linalg.qr(np.random.default_rng(seed).normal(size=(DIM, 2)))[0].T
    return Metric(np.asarray(scale), rows, np.array([*stretch, 0.0, 0.0]), np.int64(2))


def matrix(metric):
    """Return A, the whitening map, as a matrix."""
    rows = np.asarray(metric.directions)
    return np.diag(metric.scale) @ (np.eye(DIM) + rows.T @ np.diag(metric.stretch) @ rows)


def precision(seed=1):
    a = np.random.default_rng(seed).normal(size=(DIM, DIM))
    return a @ a.T + np.eye(DIM)


def gradients(n=20_000, seed=2):
    return np.random.default_rng(seed).multivariate_normal(np.zeros(DIM), precision(), size=n)


def energy_error(metric, step_size, steps=7, n=40_000):
    """Return the standard deviation of the energy error of trajectories in a normal of that precision."""
    a = matrix(metric)
    hessian = a.T @ precision() @ a  # in whitened coordinates
    rng = np.random.default_rng(3)
    z = rng.normal(size=(n, DIM)) @ np.linalg.inv(np.linalg.cholesky(hessian))
    p = rng.normal(size=(n, DIM))
    before = 0.5 * (np.sum(z @ hessian * z, axis=1) + np.sum(p * p, axis=1))
    for _ in range(steps):
        p = p - 0.5 * step_size * z @ hessian
        z = z + step_size * p
        p = p - 0.5 * step_size * z @ hessian
    after = 0.5 * (np.sum(z @ hessian * z, axis=1) + np.sum(p * p, axis=1))
    return np.std(after - before)


def test_the_energy_error_stays_what_it_was():
    old, new = (
        stretched(np.full(DIM, 0.3), (1.0, -0.4)),
        stretched(np.geomspace(0.2, 0.5, DIM), (-0.3, 0.6), 7),
    )
    (change,) = log_step_size_changes([old], new, gradients())
    before = energy_error(old, 0.1)
    assert energy_error(new, 0.1 * np.exp(change)) == pytest.approx(before, rel=0.2)
    assert energy_error(new, 0.1) != pytest.approx(before, rel=0.4)


@pytest.mark.parametrize("n", [2, 4, 50])
def test_it_is_a_matter_of_the_squared_eigenvalues_however_few_the_draws(n):
    old, new = stretched(np.ones(DIM), (2.0, -0.5)), stretched(np.linspace(1.0, 2.0, DIM), (0.5, 3.0), 5)
    given = gradients(n)
    centred = given - given.mean(0)
    squares = [
        np.sum(np.linalg.svd(centred @ matrix(metric), compute_uv=False) ** 4) for metric in (old, new)
    ]
    expected = 0.25 * np.log(squares[0] / squares[1])
    assert log_step_size_changes([old], new, given) == pytest.approx([expected], rel=1e-10)


def test_each_step_size_changes_by_what_its_own_metric_calls_for():
    metrics = [without_directions(np.full(DIM, scale), 4) for scale in (1.0, 2.0, 1.0, 0.25)]
    changes = log_step_size_changes(metrics, without_directions(np.ones(DIM), 4), gradients(30))
    assert np.exp(changes) == pytest.approx([1.0, 2.0, 1.0, 0.25], rel=1e-12)


@pytest.mark.parametrize(("scale", "factor"), [(1e-30, 10.0), (1e30, 0.1)])
def test_it_changes_by_no_more_than_ten_times(scale, factor):
    old, new = without_directions(np.ones(DIM), 4), without_directions(np.full(DIM, scale), 4)
    assert np.exp(log_step_size_changes([old], new, gradients(30))) == pytest.approx([factor])


@pytest.mark.parametrize(
    "says_nothing", [np.zeros((0, DIM)), np.ones((1, DIM)), np.full((9, DIM), np.nan), 1e300 * gradients(9)]
)
def test_gradients_that_say_nothing_change_nothing_and_warn_of_nothing(says_nothing):
    old, new = without_directions(np.ones(DIM), 4), without_directions(np.full(DIM, 3.0), 4)
    assert log_step_size_changes([old], new, says_nothing) == [0.0]
