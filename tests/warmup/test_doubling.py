"""Step sizes leave the ranges in which whitened trajectories double once too often, and no others."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from exmc_actors.kernel import Point, transition
from exmc_actors.warmup.doubling import clear_of_doubling
from tests.kernel import metrics

KEY = np.array([5, 6], np.uint32)
DRAWS = 2000


def cleared(step_size):
    return math.exp(clear_of_doubling(math.log(step_size)))


@pytest.mark.parametrize("step_size", [1e-3, 0.1, 0.36, 0.46, 0.65, 1.07, 1.9])
def test_a_step_size_outside_these_ranges_stays_as_it_is(step_size):
    assert cleared(step_size) == pytest.approx(step_size, rel=1e-12)


@pytest.mark.parametrize(
    ("step_size", "expected"),
    [(0.67, 0.66), (0.83, 0.66), (0.84, 1.06), (1.05, 1.06), (0.4, 0.37), (0.42, 0.454)],
)
def test_one_inside_goes_to_the_nearer_end(step_size, expected):
    assert cleared(step_size) == pytest.approx(expected, rel=1e-12)


def test_no_step_size_moves_by_more_than_a_factor_of_1_27():
    sizes = np.geomspace(0.01, 2.0, 5000)
    moved = np.array([cleared(size) for size in sizes]) / sizes
    assert moved.max() == pytest.approx(1.267, abs=0.002)
    assert moved.min() == pytest.approx(1 / 1.267, abs=0.002)


@pytest.mark.slow
@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize(("dim", "step_size"), [(10, 0.88), (20, 0.77), (200, 0.42)])
def test_whitened_normals_are_cheaper_to_sample_after_the_move(dim, step_size):
    """The error of either side is under 2 %."""
    assert worth_of_a_gradient(dim, cleared(step_size)) > 1.1 * worth_of_a_gradient(dim, step_size)


def worth_of_a_gradient(dim, step_size):
    """Return effective draws a gradient of independent normals, whose series are autoregressive."""
    value_and_grad = jax.value_and_grad(lambda q: -0.5 * jnp.dot(q, q))

    def step(point, index):
        new, report = transition(value_and_grad, point, KEY, index, step_size, metrics.unit(dim), 10)
        return new, (jnp.mean(new.position * point.position), report.n_steps)

    @jax.jit
    def run(position):
        start = Point(position, *value_and_grad(position))
        return jax.lax.scan(step, start, jnp.arange(DRAWS))[1]

    products, steps = run(np.random.default_rng(1).normal(size=dim))
    correlation = float(products.mean())
    return (1.0 - correlation) / (1.0 + correlation) / float(steps.mean())
