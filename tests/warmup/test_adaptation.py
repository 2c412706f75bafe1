"""A chain's own adaptation finds the step size of targets whose answer is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from exmc_actors.kernel import Point
from exmc_actors.warmup import adapt, dual_averaging, first_metric, step_size_of
from tests.kernel import metrics
from tests.kernel.transitions import moved

pytestmark = pytest.mark.usefixtures("exact")

KEY = np.array([3, 4], np.uint32)


def acceptance_after(tune, target):
    """Warm up the step size on five independent normals; return the acceptance of 500 later draws."""
    value_and_grad = jax.value_and_grad(lambda q: -0.5 * jnp.dot(q, q))

    def step(carry, index):
        point, state = carry
        is_warmup = index < tune
        step_size = step_size_of(state, is_warmup)
        new, report = moved(value_and_grad, point, KEY, index, step_size, metrics.unit(5), 10)
        adapted = adapt(state, index, 36, report, target)
        state = jax.tree.map(lambda a, b: jnp.where(is_warmup, a, b), adapted, state)
        return (new, state), report.acceptance_rate

    @jax.jit
    def run():
        start = Point(jnp.ones(5), *value_and_grad(jnp.ones(5)))
        first = dual_averaging.start(jnp.asarray(0.01))
        return jax.lax.scan(step, (start, first), jnp.arange(tune + 500))[1]

    return float(run()[tune:].mean())


@pytest.mark.slow
@pytest.mark.parametrize("target", [0.6, 0.8, 0.95])
def test_a_higher_target_gives_a_smaller_step_and_more_acceptance(target):
    assert acceptance_after(400, target) == pytest.approx(target, abs=0.1)


def test_dual_averaging_finds_the_step_size_with_the_wanted_acceptance():
    """Acceptance exp(-step): the target 0.8 is at step -log 0.8."""

    def observe(_, state):
        return dual_averaging.update(state, jnp.exp(-jnp.exp(state.log_step_size)), jnp.asarray(0.8))

    state = jax.lax.fori_loop(0, 5000, observe, dual_averaging.start(jnp.asarray(1.0)))
    assert float(jnp.exp(state.log_average)) == pytest.approx(-np.log(0.8), rel=0.02)


def test_a_recursion_that_is_moved_goes_on_as_one_that_began_so_much_larger():
    acceptances = [0.3, 1.0, 0.6, 0.95, 0.0, 0.8]
    begun, larger = dual_averaging.start(jnp.asarray(0.1)), dual_averaging.start(jnp.asarray(0.7))
    for count, acceptance in enumerate(acceptances):
        begun, larger = (
            dual_averaging.update(state, jnp.asarray(acceptance), jnp.asarray(0.8))
            for state in (begun, larger)
        )
        if count == 3:
            begun = dual_averaging.with_average(begun, float(begun.log_average) + np.log(7.0))
        if count >= 3:
            np.testing.assert_allclose(begun, larger, rtol=1e-12)


def test_the_first_metric_survives_gradients_that_say_nothing():
    gradient = jnp.array([4.0, -0.25, 0.0, jnp.nan, jnp.inf])
    metric = first_metric(gradient, 4)
    np.testing.assert_array_equal(metric.scale, [0.5, 2.0, 1.0, 1.0, 1.0])
    assert metric.directions.shape == (4, 5)
    assert metric.rank == 0
