"""The first step size is of the right order: one doubling away, the acceptance crosses the target."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from exmc_actors.kernel import Point, after_try, begin_search
from exmc_actors.kernel.hamiltonian import energy, leapfrog, phase_point
from tests.kernel import metrics

pytestmark = pytest.mark.usefixtures("exact")


def energy_error(value_and_grad, start, momentum, step_size):
    here = phase_point(start, momentum, metrics.unit(1))
    end, point = leapfrog(value_and_grad, start.position, here, step_size, metrics.unit(1))
    return energy(point.log_density, end.momentum) - energy(start.log_density, momentum)


def slow(scale):
    return pytest.param(scale, marks=pytest.mark.slow)


def found_step(value_and_grad, start, momentum, target):
    search = begin_search()
    while not search.is_over:
        error = energy_error(value_and_grad, start, momentum, search.step_size)
        search = after_try(search, error, target)
    return float(search.step_size)


@pytest.mark.parametrize("scale", [1e-8, slow(1e-3), 1.0, slow(1e3), 1e8])
@pytest.mark.parametrize("target", [0.6, 0.8, 0.95])
def test_the_target_lies_between_the_step_found_and_its_neighbour(scale, target):
    value_and_grad = jax.value_and_grad(lambda q: -0.5 * jnp.dot(q, q) / scale**2)
    start = Point(jnp.array([scale]), *value_and_grad(jnp.array([scale])))
    momentum = jnp.array([0.7 / scale])
    step = found_step(value_and_grad, start, momentum, target)

    def acceptance(step_size):
        return float(jnp.exp(-energy_error(value_and_grad, start, momentum, step_size)))

    found = acceptance(step)
    neighbour = acceptance(step * (2 if found > target else 0.5))
    assert min(found, neighbour) <= target <= max(found, neighbour)


def test_a_density_that_is_nowhere_finite_ends_the_search():
    value_and_grad = jax.value_and_grad(lambda q: jnp.nan * q[0])
    start = Point(jnp.zeros(1), jnp.zeros(()), jnp.zeros(1))
    step = found_step(value_and_grad, start, jnp.ones(1), 0.8)
    assert 0 < step < 1e-10
    assert np.isfinite(step)
