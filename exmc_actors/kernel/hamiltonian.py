"""Move a point through phase space under a diagonal metric; knows one step, no trajectory."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

DensityAndGradient = Callable[[Array], tuple[Array, Array]]
"""Maps a position of shape (d,) to its log density (a scalar) and the gradient, shape (d,)."""


class Point(NamedTuple):
    """A position with what was computed there."""

    position: Array
    log_density: Array
    gradient: Array


def velocity(momentum: Array, inverse_mass: Array) -> Array:
    """Return the velocity of a momentum; ``inverse_mass`` is the diagonal, shape (d,)."""
    return inverse_mass * momentum


def energy(log_density: Array, momentum: Array, inverse_mass: Array) -> Array:
    """Return the Hamiltonian: potential (minus log density) plus kinetic energy."""
    return 0.5 * jnp.dot(momentum, velocity(momentum, inverse_mass)) - log_density


def leapfrog(
    density_and_gradient: DensityAndGradient,
    position: Array,
    momentum: Array,
    gradient: Array,
    step_size: Array,
    inverse_mass: Array,
) -> tuple[Point, Array]:
    """Advance by one leapfrog step; return the new point and its momentum.

    Reversible and volume-preserving for any step size; a negative one runs time backwards.

    References:
      Neal (2011), *MCMC using Hamiltonian dynamics*, section 2.3.
    """
    half_way = momentum + 0.5 * step_size * gradient
    position = position + step_size * velocity(half_way, inverse_mass)
    log_density, gradient = density_and_gradient(position)
    return Point(position, log_density, gradient), half_way + 0.5 * step_size * gradient
