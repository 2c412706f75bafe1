"""Step sizes leave the ranges in which whitened trajectories double once too often, and no others."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from exmc_actors.kernel import Point
from exmc_actors.warmup.doubling import clear_of_doubling
from tests.kernel import metrics
from tests.kernel.transitions import moved

KEY = np.array([5, 6], np.uint32)
DRAWS = 2000


def cleared(step_size):
    return math.exp(clear_of_doubling(math.log(step_size)))


@pytest.mark.parametrize(
    "step_size", [1e-3, 0.1, 0.4, 0.46, 0.59, 0.67, 0.69, 0.81, 0.83, 1.07, 1.19, 1.31, 1.9]
)
def test_a_step_size_outside_these_ranges_stays_as_it_is(step_size):
    assert cleared(step_size) == pytest.approx(step_size, rel=1e-12)


@pytest.mark.parametrize(
    ("step_size", "expected"),
    [
        (0.61, 0.6),
        (0.65, 0.6),
        (0.71, 0.8),
        (0.79, 0.8),
        (0.85, 1.06),
        (1.05, 1.06),
        (0.42, 0.454),
        (0.45, 0.454),
        (1.21, 1.3),
        (1.29, 1.3),
    ],
)
def test_one_inside_goes_to_the_better_end(step_size, expected):
    assert cleared(step_size) == pytest.approx(expected, rel=1e-12)


def test_moves_are_within_1_27_up_and_1_1_down_and_keep_the_order():
    sizes = np.geomspace(0.01, 2.0, 5000)
    cleared_sizes = np.array([cleared(size) for size in sizes])
    factors = cleared_sizes / sizes
    assert factors.max() < 1.27
    assert factors.min() > 1.0 / 1.101
    assert np.all(np.diff(cleared_sizes) >= 0.0)


@pytest.mark.slow
@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize(("dim", "step_size"), [(10, 0.88), (200, 0.42)])
def test_whitened_normals_are_cheaper_to_sample_after_the_move(dim, step_size):
    """By the measure of ``worth_of_a_gradient``, at step sizes that an acceptance of 0.8 leads to, or 0.7."""
    assert worth_of_a_gradient(dim, cleared(step_size)) > 1.1 * worth_of_a_gradient(dim, step_size)


@pytest.mark.slow
@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize(
    ("dim", "step_size", "of_two_leaves", "gain"),
    [(10, 0.8, 0.6, 1.4), (50, 0.8, 0.6, 1.2), (1, 1.3, 1.19, 1.3), (2, 1.3, 1.19, 1.2)],
)
def test_trajectories_that_double_from_three_leaves_are_worth_their_gradients(
    dim, step_size, of_two_leaves, gain
):
    assert worth_of_a_gradient(dim, step_size) > gain * worth_of_a_gradient(dim, of_two_leaves)


def worth_of_a_gradient(dim, step_size):
    """Return effective draws a gradient of independent normals, whose series are autoregressive.

    The geometric mean of those of means and of squares: what gains one at the cost of the other is no gain.
    """
    value_and_grad = jax.value_and_grad(lambda q: -0.5 * jnp.dot(q, q))

    def step(point, index):
        new, report = moved(value_and_grad, point, KEY, index, step_size, metrics.unit(dim), 10)
        products = new.position * point.position
        squares = (new.position**2 - 1.0) * (point.position**2 - 1.0) / 2.0
        return new, (jnp.mean(products), jnp.mean(squares), report.n_steps)

    @jax.jit
    def run(position):
        start = Point(position, *value_and_grad(position))
        return jax.lax.scan(step, start, jnp.arange(DRAWS))[1]

    products, squares, steps = run(np.random.default_rng(1).normal(size=dim))
    correlations = np.array([products.mean(), squares.mean()])
    return math.sqrt(np.prod((1.0 - correlations) / (1.0 + correlations))) / float(steps.mean())
