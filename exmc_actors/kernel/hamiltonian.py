"""Move a point through phase space by one leapfrog step, in whitened coordinates; knows no trajectory."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from exmc_actors.kernel.metric import Metric, displacement, whitened

DensityAndGradient = Callable[[Array], tuple[Array, Array]]
"""Maps a position of shape (d,) to its log density (a scalar) and the gradient, shape (d,)."""


class Point(NamedTuple):
    """A position with what was computed there."""

    position: Array
    log_density: Array
    gradient: Array


class PhasePoint(NamedTuple):
    """Where a trajectory is, in the coordinates of the metric: z, its momentum, and the gradient in z."""

    z: Array
    momentum: Array
    slope: Array


def phase_point(point: Point, momentum: Array, metric: Metric) -> PhasePoint:
    """Return the beginning of a trajectory: the origin of its own coordinates."""
    return PhasePoint(jnp.zeros_like(momentum), momentum, whitened(metric, point.gradient))


def energy(log_density: Array, momentum: Array) -> Array:
    """Return the Hamiltonian: potential (minus log density) plus kinetic energy."""
    return 0.5 * jnp.dot(momentum, momentum) - log_density


def leapfrog(
    density_and_gradient: DensityAndGradient,
    origin: Array,
    here: PhasePoint,
    step_size: Array,
    metric: Metric,
) -> tuple[PhasePoint, Point]:
    """Advance by one leapfrog step.

    Reversible and volume-preserving for any step size; a negative one runs time backwards.

    Args:
      density_and_gradient: of the target.
      origin: the position at z = 0, shape (d,).
      here: where to step from.
      step_size: signed.
      metric: what the coordinates z mean.

    References:
      Neal (2011), *MCMC using Hamiltonian dynamics*, section 2.3.
    """
    half_way = here.momentum + 0.5 * step_size * here.slope
    z = here.z + step_size * half_way
    # Every sum over the position would compute it again, but for the border of a conditional.  Where a step
    # has no size, the momentum has none either, whatever the position is.
    position = lax.cond(
        jnp.isnan(step_size), lambda: jnp.zeros_like(z), lambda: origin + displacement(metric, z)
    )
    log_density, gradient = density_and_gradient(position)
    slope = whitened(metric, gradient)
    return PhasePoint(z, half_way + 0.5 * step_size * slope, slope), Point(position, log_density, gradient)
