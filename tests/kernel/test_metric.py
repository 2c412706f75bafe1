"""The map of a metric against the matrix that it stands for, and a step in its coordinates."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from exmc_actors.kernel import Point, capacity_for
from exmc_actors.kernel.hamiltonian import leapfrog, phase_point
from exmc_actors.kernel.metric import displacement, whitened
from tests.kernel import densities, metrics

pytestmark = pytest.mark.usefixtures("exact")

CASES = [
    metrics.diagonal(np.array([1e-6, 1.0, 3e4])),
    metrics.with_directions([1.0, 2.0, 0.5], 1),
    metrics.with_directions(np.geomspace(1e-3, 1e3, 12), 7),
    metrics.with_directions(np.ones(9), 9),
]


@pytest.mark.parametrize("metric", CASES)
def test_the_map_and_its_transpose_are_those_of_the_matrix(metric):
    x = np.random.default_rng(1).normal(size=len(metric.scale))
    a = metrics.matrix(metric)
    np.testing.assert_allclose(jax.jit(displacement)(metric, x), a @ x, rtol=1e-12)
    np.testing.assert_allclose(jax.jit(whitened)(metric, x), a.T @ x, rtol=1e-12)


def test_rows_come_in_fours_and_those_beyond_the_rank_are_not_read():
    assert [capacity_for(rank) for rank in (0, 1, 4, 5, 64)] == [0, 4, 4, 8, 64]
    metric = metrics.with_directions(np.ones(5), 4)
    poisoned = metric._replace(
        directions=np.where(np.arange(8)[:, None] < 4, metric.directions, np.nan),
        stretch=np.where(np.arange(8) < 4, metric.stretch, np.nan),
    )
    x = np.arange(5.0)
    np.testing.assert_array_equal(displacement(poisoned, x), displacement(metric, x))


def test_where_four_rows_are_all_there_is_they_are_multiplied_only_if_one_is_used():
    """XLA takes what does not change out of a loop, and computes it even if the loop makes no round."""

    def steps(metric, x, count):
        return jax.lax.fori_loop(0, count, lambda _, x: displacement(metric, x), x)

    arguments = metrics.with_directions([1.0, 2.0, 0.5], 1), np.ones(3), np.int64(5)
    text = jax.jit(steps).lower(*arguments).compile().as_text()
    branches = set(re.findall(r"%(\S+)", " ".join(re.findall(r"branch_computations={(.*?)}", text))))
    branches |= set(re.findall(r"(?:true|false)_computation=%([\w.-]+)", text))
    computations = re.findall(r"^(?:ENTRY )?%(\S+) .*?{\n(.*?)^}", text, re.MULTILINE | re.DOTALL)
    multiply = {name for name, body in computations if " dot(" in body}
    assert multiply
    assert multiply <= branches


@pytest.mark.parametrize(
    "metric", [metrics.diagonal(np.array([0.5, 2.0])), metrics.with_directions([0.5, 2.0], 1)]
)
def test_a_step_is_that_of_the_full_mass_matrix_and_steps_back(metric):
    a = metrics.matrix(metric)
    density = jax.value_and_grad(densities.banana)
    start = Point(jnp.array([0.3, -0.2]), *density(jnp.array([0.3, -0.2])))
    normals, step = np.array([0.4, -1.1]), 0.17
    here = phase_point(start, normals, metric)
    there, point = leapfrog(density, start.position, here, step, metric)

    momentum = np.linalg.solve(a.T, normals) + 0.5 * step * np.asarray(start.gradient)
    position = start.position + step * a @ a.T @ momentum
    np.testing.assert_allclose(point.position, position, rtol=1e-12)
    momentum = momentum + 0.5 * step * np.asarray(density(jnp.asarray(position))[1])
    np.testing.assert_allclose(there.momentum, a.T @ momentum, rtol=1e-12)

    back, home = leapfrog(density, start.position, there, -step, metric)
    np.testing.assert_allclose(home.position, start.position, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(back.momentum, normals, rtol=1e-12)
