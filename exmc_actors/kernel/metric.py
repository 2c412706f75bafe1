"""Describe the metric of a trajectory as the linear map that whitens it; learning one is warmup's business.

The kernel walks in coordinates z in which the mass is the identity; a position is q = q0 + A z.  A walk in
z with the unit mass is a walk in q with the inverse mass A A', and everything between two gradients is
then plain arithmetic: the map is applied twice a step and nowhere else.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

ROWS = 4
"""Directions that are taken at once: a product of a small matrix and a vector is one vectorised loop."""


class Metric(NamedTuple):
    """A = diag(scale) (I + V' diag(stretch) V), where the rows of V are orthonormal.

    A diagonal metric has no rows, a low-rank one has a few, a dense one as many as there are dimensions.
    """

    scale: Array
    """Positive, shape (d,)."""
    directions: Array
    """V, shape (k, d); k is a multiple of four, and rows that are not used are zero."""
    stretch: Array
    """Over -1, shape (k,): by how much more than by ``scale`` a direction is stretched."""
    rank: Array
    """How many rows are used."""


def capacity_for(rank: int) -> int:
    """Return how many rows a metric needs that is to hold ``rank`` directions."""
    return -(-rank // ROWS) * ROWS


def displacement(metric: Metric, z: Array) -> Array:
    """Return A z."""
    return metric.scale * _stretched(metric, z)


def whitened(metric: Metric, gradient: Array) -> Array:
    """Return A' g: the gradient with respect to z."""
    return _stretched(metric, metric.scale * gradient)


def _stretched(metric: Metric, x: Array) -> Array:
    capacity, dim = metric.directions.shape
    if capacity == 0:
        return x

    def along(rows: Array, stretch: Array) -> Array:
        return ((rows @ x) * stretch) @ rows

    def add(number: Array, total: Array) -> Array:
        first = number * ROWS
        rows = lax.dynamic_slice(metric.directions, (first, 0), (ROWS, dim))
        return total + along(rows, lax.dynamic_slice(metric.stretch, (first,), (ROWS,)))

    # The sum begins at nothing: a copy of x would wait until all of its numbers, just computed, are written.
    nothing = jnp.zeros_like(x)
    if capacity == ROWS:
        # Of a loop with one round, XLA would take the round out, and make it where no row is used.
        rows = metric.directions, metric.stretch
        more = lax.cond(metric.rank > 0, lambda: along(*rows), lambda: nothing)
    else:
        more = lax.fori_loop(0, (metric.rank + ROWS - 1) // ROWS, add, nothing)
    stretched: Array = x + more
    return stretched
