"""Warmup finds the scales and the step size of targets whose answer is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from exmc_actors.kernel import Point, transition
from exmc_actors.warmup import adapt, begin, dual_averaging, moments
from exmc_actors.warmup.adaptation import current_step_size, first_inverse_mass

pytestmark = pytest.mark.usefixtures("exact")

KEY = np.array([3, 4], np.uint32)


def warmed_up(scales, tune, target=0.8):
    """Warm up on independent normals; return the adaptation and the acceptance of 500 later draws."""
    value_and_grad = jax.value_and_grad(lambda q: -0.5 * jnp.sum((q / scales) ** 2))

    def step(carry, index):
        point, state = carry
        is_warmup = index < tune
        step_size = current_step_size(state, is_warmup)
        new, report = transition(value_and_grad, point, KEY, index, step_size, state.inverse_mass, 10)
        adapted = adapt(state, index, tune, point.position, new, report, target)
        state = jax.tree.map(lambda a, b: jnp.where(is_warmup, a, b), adapted, state)
        return (new, state), report.acceptance_rate

    @jax.jit
    def run():
        start = Point(jnp.ones(len(scales)), *value_and_grad(jnp.ones(len(scales))))
        first = begin(first_inverse_mass(start.gradient), jnp.asarray(0.01))
        return jax.lax.scan(step, (start, first), jnp.arange(tune + 500))

    (_, state), acceptance = run()
    return state, float(acceptance[tune:].mean())


def test_the_metric_becomes_the_variance_of_each_coordinate_whatever_its_scale():
    scales = np.array([1e-6, 1e-2, 1.0, 1e3])
    state, _ = warmed_up(scales, tune=400)
    # For independent normals Var(q) / Var(g) = scale^4 in every sample: exact, not only in the mean.
    np.testing.assert_allclose(state.inverse_mass, scales**2, rtol=1e-6)


@pytest.mark.parametrize("target", [0.6, 0.8, 0.95])
def test_a_higher_target_gives_a_smaller_step_and_more_acceptance(target):
    _, acceptance = warmed_up(np.ones(5), tune=400, target=target)
    assert acceptance == pytest.approx(target, abs=0.1)


def test_dual_averaging_finds_the_step_size_with_the_wanted_acceptance():
    """Acceptance exp(-step): the target 0.8 is at step -log 0.8."""

    def observe(_, state):
        return dual_averaging.update(state, jnp.exp(-jnp.exp(state.log_step_size)), jnp.asarray(0.8))

    state = jax.lax.fori_loop(0, 5000, observe, dual_averaging.start(jnp.asarray(1.0)))
    assert float(jnp.exp(state.log_average)) == pytest.approx(-np.log(0.8), rel=0.02)


def test_moments_are_those_of_the_pairs_that_count():
    pairs = np.random.default_rng(0).normal(3.0, 2.0, (50, 2, 4))
    running = moments.empty(4)
    for number, pair in enumerate(pairs):
        running = moments.add(running, pair, number % 3 != 0)
    kept = np.array([pair for number, pair in enumerate(pairs) if number % 3 != 0])
    assert running.pairs == len(kept)
    np.testing.assert_allclose(running.mean, kept.mean(0), rtol=1e-12)
    np.testing.assert_allclose(running.squares / running.pairs, kept.var(0), rtol=1e-12)


def test_the_first_metric_survives_gradients_that_say_nothing():
    gradient = jnp.array([2.0, -0.5, 0.0, jnp.nan, jnp.inf])
    np.testing.assert_array_equal(first_inverse_mass(gradient), [0.5, 2.0, 1.0, 1.0, 1.0])


def test_a_divergence_or_a_rejected_move_does_not_reach_the_metric():
    state = begin(jnp.ones(2), jnp.asarray(0.1))
    value_and_grad = jax.value_and_grad(lambda q: -0.5 * jnp.dot(q, q))
    before = jnp.ones(2)
    point, report = transition(
        value_and_grad, Point(before, *value_and_grad(before)), KEY, 0, 0.1, jnp.ones(2), 10
    )
    moved = adapt(state, jnp.asarray(0), 100, before, point, report, 0.8)
    assert moved.foreground.pairs == 1
    stuck = adapt(state, jnp.asarray(0), 100, point.position, point, report, 0.8)
    assert stuck.foreground.pairs == 0
    diverged = adapt(
        state, jnp.asarray(0), 100, before, point, report._replace(diverging=jnp.array(True)), 0.8
    )
    assert diverged.foreground.pairs == 0
