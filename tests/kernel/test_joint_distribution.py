"""Draws of parameters and data together, one transition and one simulation in turn, keep the prior.

Geweke's test: a transition that leaves the posterior of any data as it is leaves the joint distribution as
it is, and the parameters' own is the prior, which is known.

References:
  Geweke (2004), *Getting it right: joint distribution tests of posterior simulators*.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from exmc_actors.kernel import Nuts, Point, Walnuts
from tests.kernel import metrics
from tests.kernel.test_nuts import batch_mean_z
from tests.kernel.transitions import moved

pytestmark = [pytest.mark.usefixtures("exact"), pytest.mark.slow]

ROUNDS = 400_000
DATA = 3


def log_joint(q, y):
    """A mean and a log scale, standard normal both, and three numbers that they are the normal of."""
    z = (y - q[0]) * jnp.exp(-q[1])
    return -0.5 * jnp.dot(q, q) - 0.5 * jnp.dot(z, z) - DATA * q[1]


def parameters(metric, step_size, kernel, *, tilt=0.0):
    """Return the parameters of all rounds; a tilt makes the target another one than the data's."""

    def density_given(y):
        return jax.value_and_grad(lambda q: log_joint(q, y) + tilt * q[0])

    def step(carry, index):
        q, y = carry
        density = density_given(y)
        here, words = Point(q, *density(q)), jnp.array([5, 8], jnp.uint32)
        point, _ = moved(density, here, words, index, step_size, metric, 8, kernel=kernel)
        key = jax.random.fold_in(jax.random.key(77), index)
        y = point.position[0] + jnp.exp(point.position[1]) * jax.random.normal(key, (DATA,))
        return (point.position, y), point.position

    start = jnp.zeros(2), jnp.array([0.3, -0.4, 1.1])
    return np.asarray(jax.jit(lambda: jax.lax.scan(step, start, jnp.arange(ROUNDS)))()[1])


def deviations(q):
    """Return how far moments of the parameters are from the prior's, in standard errors."""
    mean, scale = q.T
    return [
        batch_mean_z(mean, 0.0),
        batch_mean_z(scale, 0.0),
        batch_mean_z(mean**2, 1.0),
        batch_mean_z(scale**2, 1.0),
        batch_mean_z(mean * scale, 0.0),
        batch_mean_z((np.abs(scale) > 2.0).astype(float), 0.04550026),
    ]


METRICS = {
    "unit metric": metrics.unit(2),
    "diagonal metric": metrics.diagonal(np.array([0.5, 1.5])),
    "metric with a direction": metrics.with_directions([0.7, 1.2], 1),
}
LARGEST = "largest deviation of six moments from the prior's, in standard errors"
ERRORS = 4.0

with_each_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)


@pytest.mark.parametrize("step_size", [0.25, 0.8], ids="step size {}".format)
@with_each_metric
def test_the_prior_is_kept(metric, step_size, measured):
    """36 comparisons at four standard errors: a right kernel fails with one seed in 440."""
    largest = np.max(np.abs(deviations(parameters(metric, step_size, Nuts()))))
    measured(LARGEST, largest, f"< {ERRORS:g}")
    assert largest < ERRORS


@pytest.mark.parametrize("kernel", [Walnuts(0.2, 8), Walnuts(1.0, 8)], ids=repr)
@with_each_metric
def test_the_prior_is_kept_by_walnuts(metric, kernel, measured):
    """36 comparisons, as for NUTS; the steps are so large that most of them are halved."""
    largest = np.max(np.abs(deviations(parameters(metric, 1.2, kernel))))
    measured(LARGEST, largest, f"< {ERRORS:g}")
    assert largest < ERRORS


@pytest.mark.parametrize("kernel", [Nuts(), Walnuts(0.2, 8)], ids=repr)
def test_a_target_that_is_a_little_wrong_is_seen(kernel, measured):
    """The kernel's target is tilted, so that a mean of 0 becomes one of 0.1."""
    largest = np.max(np.abs(deviations(parameters(metrics.unit(2), 0.5, kernel, tilt=0.1))))
    measured(LARGEST, largest, f"> {ERRORS:g}")
    assert largest > ERRORS
