"""WALNUTS agrees with its recursive oracle, is NUTS where the energy stays within range, and leaves normals be."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import exmc_actors as ex
from exmc_actors.kernel import Nuts, Point, Walnuts, transition
from exmc_actors.kernel.hamiltonian import phase_point
from exmc_actors.kernel.moving import Flow
from exmc_actors.kernel.random import transition_words
from tests.kernel import densities, metrics
from tests.kernel.recursive_walnuts import RecursiveWalnuts
from tests.kernel.test_nuts import KEY, batch_mean_z

pytestmark = pytest.mark.usefixtures("exact")

CASES = [
    (densities.standard_normal, 3, 0.5),
    (densities.standard_normal, 3, 1.7),
    (densities.scaled_normal, 3, 0.3),
    (densities.correlated_normal, 2, 1.0),
    (densities.banana, 2, 0.6),
    (densities.funnel, 5, 1.0),
    (densities.cliff, 2, 0.5),
]


def compiled(density, kernel, max_depth=8):
    def run(q, index, step_size, metric):
        value_and_grad = jax.value_and_grad(density)
        start = Point(q, *value_and_grad(q))
        return transition(value_and_grad, start, KEY, index, step_size, metric, max_depth, kernel)

    return jax.jit(run)


def walk_with_the_oracle(density, dim, step_size, rank, kernel, transitions=40):
    """Make some transitions by both, compare them, and return the oracle's facts."""
    run = compiled(density, kernel)
    value_and_grad = jax.jit(jax.value_and_grad(density))
    metric = metrics.with_directions(np.sqrt(np.linspace(0.5, 1.5, dim)), rank)
    oracle = RecursiveWalnuts(
        lambda q: tuple(np.asarray(part) for part in value_and_grad(q)),
        step_size,
        metrics.matrix(metric),
        kernel.max_error,
        kernel.max_halvings,
    )
    q = np.full(dim, 0.1)
    levels, ends, divergences = [], 0, 0
    for index in range(transitions):
        point, report = run(q, index, step_size, metric)
        words = transition_words(KEY, index, dim)
        expected, facts = oracle.transition(
            q, np.asarray(words.normals), *(int(word) for word in words[1:]), 8
        )
        np.testing.assert_allclose(point.position, expected.q, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(report.energy, expected.energy, rtol=1e-7)
        np.testing.assert_allclose(report.acceptance_rate, facts["acceptance_rate"], rtol=1e-6)
        for name in ("tree_depth", "n_steps", "diverging", "reached_max_treedepth"):
            assert getattr(report, name) == facts[name], (index, name)
        levels += oracle.levels
        ends += oracle.ends
        divergences += facts["diverging"]
        q = np.asarray(point.position)
    return levels, ends, divergences


@pytest.mark.parametrize("rank", [0, 2])
@pytest.mark.parametrize(("density", "dim", "step_size"), CASES)
def test_takes_the_same_transition_as_the_recursive_tree(density, dim, step_size, rank):
    levels, ends, divergences = walk_with_the_oracle(density, dim, step_size, rank, Walnuts(0.3, 6))
    assert levels
    print(density.__name__, step_size, np.bincount(levels), ends, divergences)
