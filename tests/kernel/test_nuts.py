"""The iterative tree agrees with the recursive one, and its draws with closed forms."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from exmc_actors.kernel import Point
from exmc_actors.kernel.growth import base_for
from exmc_actors.kernel.random import transition_words
from tests.kernel import densities, metrics
from tests.kernel.recursive_nuts import RecursiveNuts
from tests.kernel.transitions import bytes_for, moved

pytestmark = pytest.mark.usefixtures("exact")

KEY = np.array([7, 11], np.uint32)
CASES = [
    (densities.standard_normal, 3, 0.3),
    (densities.standard_normal, 3, 0.03),
    (densities.standard_normal, 3, 0.8),
    (densities.standard_normal, 3, 1.3),
    (densities.scaled_normal, 3, 0.012),
    (densities.correlated_normal, 2, 0.25),
    (densities.banana, 2, 0.1),
    (densities.funnel, 5, 0.4),
    (densities.cliff, 2, 0.3),
    (densities.cliff, 2, 0.9),
    (densities.scaled_normal, 3, 0.7),
]


@cache
def compiled(density, max_depth, **options):
    def run(q, index, step_size, metric):
        value_and_grad = jax.value_and_grad(density)
        start = Point(q, *value_and_grad(q))
        return moved(value_and_grad, start, KEY, index, step_size, metric, max_depth, **options)

    return jax.jit(run)


@cache
def words_of(dim):
    return jax.jit(lambda index: transition_words(KEY, index, dim))


@pytest.mark.parametrize("rank", [pytest.param(0, marks=pytest.mark.slow), 2])
@pytest.mark.parametrize(
    ("density", "dim", "step_size", "room_depth"),
    [
        *((*case, 8) for case in CASES),
        (*CASES[1], 2),
        *(pytest.param(*case, 2, marks=pytest.mark.slow) for case in CASES if case != CASES[1]),
    ],
)
def test_takes_the_same_transition_as_the_recursive_tree(density, dim, step_size, room_depth, rank):
    depths, drawn = walk_with_the_oracle(density, dim, step_size, rank, 8, room_depth)
    assert depths, "no transition was made"
    if max(depths) > room_depth + 1:
        assert True in drawn, "no leaf was drawn from a subtree that does not fit"


@pytest.mark.parametrize(("max_depth", "room_depth"), [(1, 1), (2, 2), (2, 1), (4, 1), (4, 0)])
@pytest.mark.parametrize("density", [densities.standard_normal, densities.cliff])
def test_so_it_does_where_trajectories_or_the_room_for_them_end_early(density, max_depth, room_depth):
    """Three leaves take two extensions that fit: one would leave a part of them."""
    depths, _ = walk_with_the_oracle(density, 2, 0.8, 2, max_depth, room_depth)
    assert max(depths) == min(max_depth, 2)


def walk_with_the_oracle(density, dim, step_size, rank, max_depth, room_depth):
    """Make some transitions by both and compare them; return the depths, and whether leaves were drawn."""
    run = compiled(density, max_depth, most_bytes=bytes_for(2**room_depth, dim))
    value_and_grad = jax.jit(jax.value_and_grad(density))
    metric = metrics.with_directions(np.sqrt(np.linspace(0.5, 1.5, dim)), rank)
    oracle = RecursiveNuts(
        lambda q: tuple(np.asarray(part) for part in value_and_grad(q)),
        step_size,
        metrics.matrix(metric),
        int(base_for(step_size, min(max_depth, room_depth))),
    )
    q = np.full(dim, 0.1)
    depths, drawn = set(), set()
    for index in range(40):
        point, report = run(q, index, step_size, metric)
        words = words_of(dim)(index)
        expected, facts = oracle.transition(
            q, np.asarray(words.normals), *(int(word) for word in words[1:4]), max_depth, room_depth
        )
        np.testing.assert_allclose(point.position, expected.q, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(report.energy, expected.energy, rtol=1e-8)
        np.testing.assert_allclose(report.acceptance_rate, facts["acceptance_rate"], rtol=1e-6)
        for name in ("tree_depth", "n_steps", "diverging", "reached_max_treedepth"):
            assert getattr(report, name) == facts[name], (index, name)
        depths.add(int(report.tree_depth))
        drawn.add(facts["moves_to_drawn"])
        q = np.asarray(point.position)
    return depths, drawn


def test_the_cases_reach_deep_trees_divergences_and_the_depth_limit():
    unit = metrics.with_directions(np.ones(3), 2)
    deep = compiled(densities.standard_normal, 8)(np.full(3, 0.1), 0, 0.03, unit)[1]
    assert deep.tree_depth >= 6
    shallow = compiled(densities.scaled_normal, 2)(np.full(3, 0.1), 0, 0.001, metrics.unit(3))[1]
    assert shallow.reached_max_treedepth
    assert shallow.n_steps == 3
    run = compiled(densities.cliff, 8)
    unit = metrics.with_directions(np.ones(2), 2)
    assert any(run(np.full(2, 0.9), index, 0.3, unit)[1].diverging for index in range(20))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_log_density_of_any_non_finite_kind_is_a_divergence_and_never_drawn(value):
    def density(q):
        return jnp.where(jnp.abs(q[0]) < 0.5, -0.5 * jnp.dot(q, q), value)

    run = compiled(density, 8)
    diverged = 0
    for index in range(30):
        point, report = run(np.zeros(2), index, 0.4, metrics.unit(2))
        assert abs(point.position[0]) < 0.5
        assert np.isfinite(point.log_density)
        diverged += bool(report.diverging)
    assert diverged > 0


def test_a_step_size_that_is_no_number_diverges_at_the_first_step_and_the_chain_stays():
    """Whatever is computed once behind a conditional has another value there, which must not be taken."""
    start = np.array([0.5, -0.3, 1.1])
    point, report = compiled(densities.standard_normal, 8)(start, 0, np.nan, metrics.unit(3))
    assert (report.diverging, report.n_steps, report.acceptance_rate) == (True, 1, 0.0)
    assert report.max_energy_error == np.inf
    np.testing.assert_array_equal(point.position, start)


def test_jitter_makes_step_sizes_uniform_around_the_one_given():
    value_and_grad = jax.value_and_grad(densities.standard_normal)
    start = Point(jnp.ones(2), *value_and_grad(jnp.ones(2)))

    def steps(jitter):
        def one(index):
            _, report = moved(value_and_grad, start, KEY, index, 0.5, metrics.unit(2), 3, jitter=jitter)
            return report.step_size

        return np.asarray(jax.jit(jax.vmap(one))(jnp.arange(2000)))

    np.testing.assert_array_equal(steps(0.0), np.full(2000, 0.5))
    assert stats.kstest((steps(0.2) - 0.4) / 0.2, "uniform").pvalue > 1e-3


def chain(density, metric, draws, step_size, seed, **options):
    """Return the positions of one long chain, shape (draws, dim)."""

    def step(state, index):
        value_and_grad = jax.value_and_grad(density)
        key = jnp.array([seed, 0], jnp.uint32)
        point, report = moved(value_and_grad, state, key, index, step_size, metric, 10, **options)
        return point, (point.position, report.n_steps)

    q = jnp.zeros(len(metric.scale))
    start = Point(q, *jax.value_and_grad(density)(q))
    run = jax.jit(partial(jax.lax.scan, step))
    return np.asarray(run(start, jnp.arange(draws))[1][0])


def batch_mean_z(values, truth, batches=200):
    """Return how many standard errors, estimated from batch means, the mean is from the truth."""
    means = values[: len(values) // batches * batches].reshape(batches, -1).mean(axis=1)
    return (means.mean() - truth) / (means.std(ddof=1) / np.sqrt(batches))


@pytest.mark.slow
@pytest.mark.parametrize(("step_size", "jitter"), [(0.4, 0.0), (1.1, 0.0), (0.8, 0.3)])
@pytest.mark.parametrize(
    ("density", "metric"),
    [
        (densities.standard_normal, metrics.unit(2)),
        (densities.standard_normal, metrics.with_directions([0.7, 1.4], 1)),
        (densities.correlated_normal, metrics.unit(2)),
        # Any larger, and a chain hardly moves in steps of 1.1: batch means would not know the error.
        (densities.correlated_normal, metrics.with_directions([0.3, 0.3], 2)),
    ],
)
def test_draws_have_the_moments_of_the_normal_they_came_from(density, metric, step_size, jitter):
    """Four standard errors of 200,000 draws: an error of the sd of half a per cent is seen.

    Step sizes are in units of the shortest period over 2 pi; from 2 on a walk would be unstable, and stick.
    """
    covariance = np.array([[1.0, 0.9], [0.9, 1.0]]) if density is densities.correlated_normal else np.eye(2)
    shortest = 1.0 / np.linalg.norm(
        np.linalg.solve(np.linalg.cholesky(covariance), metrics.matrix(metric)), 2
    )
    draws = chain(density, metric, 200_000, step_size * shortest, seed=3, jitter=jitter)
    for q in draws.T:
        assert abs(batch_mean_z(q, 0.0)) < 4
        assert abs(batch_mean_z(q**2, 1.0)) < 4
        assert abs(batch_mean_z(q**4, 3.0)) < 4
    if density is densities.correlated_normal:
        assert abs(batch_mean_z(draws[:, 0] * draws[:, 1], 0.9)) < 4
