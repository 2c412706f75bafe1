"""Whiten, step and judge turns in every lane at once; a lane's result is a function of that lane alone.

Every array has the lanes on its last, contiguous axis, and every sum runs over the first one.
"""

from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from exmc_actors.kernel.metric import ROWS, Metric


def dot(a: Array, b: Array) -> Array:
    """Return the inner product in each lane, shape (w,), of arrays of shape (d, w)."""
    product: Array = jnp.sum(a * b, axis=0)
    return product


def energy(log_density: Array, momentum: Array) -> Array:
    """Return the Hamiltonian: potential (minus log density) plus kinetic energy."""
    return 0.5 * dot(momentum, momentum) - log_density


def displacement(metric: Metric, z: Array) -> Array:
    """Return A z, where every array of the metric has the lanes on its last axis."""
    return metric.scale * _stretched(metric, z)


def whitened(metric: Metric, gradient: Array) -> Array:
    """Return A' g."""
    return _stretched(metric, metric.scale * gradient)


def is_turning(
    first: Array, inner_left: Array, total_left: Array, inner_right: Array, last: Array, total_right: Array
) -> Array:
    """Apply the generalised U-turn criterion in each lane; see ``kernel.turning``."""
    whole = group_turns(first, first, last, total_left + total_right)
    left = group_turns(first, first, inner_right, total_left + inner_right)
    return whole | left | group_turns(inner_left, inner_left, last, total_right + inner_left)


def group_turns(first: Array, middle: Array, last: Array, total: Array) -> Array:
    """Apply it to the leaves that trajectories begin with; see ``kernel.turning``."""
    return ~((dot(first, total) > 0) & (dot(middle, total) > 0) & (dot(last, total) > 0))


def _stretched(metric: Metric, x: Array) -> Array:
    capacity, dim, width = metric.directions.shape
    if capacity == 0:
        return x

    def add(number: Array, total: Array) -> Array:
        first = number * ROWS
        rows = lax.dynamic_slice(metric.directions, (first, 0, 0), (ROWS, dim, width))
        stretch = lax.dynamic_slice(metric.stretch, (first, 0), (ROWS, width))
        for row in range(ROWS):
            total = total + dot(rows[row], x) * stretch[row] * rows[row]
        return total

    def add_where_used(number: Array, total: Array) -> Array:
        # Adding the zeros of unused rows would be harmless but for -0.0 and infinities.
        return jnp.where(number * ROWS < metric.rank, add(number, total), total)

    groups: Any = (jnp.max(metric.rank) + ROWS - 1) // ROWS
    first = jnp.zeros_like(groups)
    stretched: Array
    if capacity == ROWS:  # as in ``kernel.metric``: a loop of one round would make it where no row is used
        stretched = lax.cond(groups > 0, lambda: add_where_used(first, x), lambda: x)
    else:
        stretched = lax.fori_loop(first, groups, add_where_used, x)
    return stretched
