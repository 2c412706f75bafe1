"""Multiply a matrix by a vector in every lane, by loops that fold; the lanes are on the last axis.

XLA leaves a product of two matrices to a library, which a folded loop cannot call, or else computes it one
number after the other; a loop over rows of lanes is four times as fast as that.
"""

import jax
import jax.numpy as jnp
from jax import lax

_WRITTEN_OUT = 64
"""Terms of a sum that are added in one expression."""
_ROWS = 8
"""Terms that are added to every entry at once where there are more."""


def matrix_product(matrix: jax.Array, lanes: jax.Array, axis: int) -> jax.Array:
    """Return the sums over ``axis`` of a matrix, and over the first axis of ``lanes``, of their products.

    Args:
      matrix: shape (m, k) or, if ``axis`` is 0, (k, m).
      lanes: shape (k, ..., w).
      axis: of the matrix.

    Returns:
      Shape (m, ..., w).
    """
    if 0 in matrix.shape:
        return jnp.zeros((matrix.shape[1 - axis], *lanes.shape[1:]), lanes.dtype)
    if lanes.shape[0] <= _WRITTEN_OUT:
        return _row_by_row(matrix, lanes, axis)
    return _some_terms_at_a_time(matrix, lanes, axis)


def _row_by_row(matrix: jax.Array, lanes: jax.Array, axis: int) -> jax.Array:
    rows = matrix.shape[1 - axis]

    def write(number: jax.Array, out: jax.Array) -> jax.Array:
        weights = lax.dynamic_index_in_dim(matrix, number, 1 - axis, keepdims=False)
        written: jax.Array = lax.dynamic_update_index_in_dim(out, _sum(weights, lanes), number, 0)
        return written

    out = jnp.zeros((rows, *lanes.shape[1:]), lanes.dtype)
    written: jax.Array = lax.fori_loop(0, rows, write, out)
    return written


def _some_terms_at_a_time(matrix: jax.Array, lanes: jax.Array, axis: int) -> jax.Array:
    terms = lanes.shape[0]
    whole, rest = divmod(terms, _ROWS)

    def add(number: jax.Array, total: jax.Array) -> jax.Array:
        some = lax.dynamic_slice_in_dim(matrix, number * _ROWS, _ROWS, axis)
        return total + _outer(some, lax.dynamic_slice_in_dim(lanes, number * _ROWS, _ROWS, 0), axis)

    first = jnp.zeros((matrix.shape[1 - axis], *lanes.shape[1:]), lanes.dtype)
    if rest:
        first = _outer(lax.slice_in_dim(matrix, terms - rest, terms, axis=axis), lanes[terms - rest :], axis)
    total: jax.Array = lax.fori_loop(0, whole, add, first)
    return total


def _outer(matrix: jax.Array, lanes: jax.Array, axis: int) -> jax.Array:
    """Return the same product, every term of the sums written out."""
    columns = matrix if axis == 0 else matrix.T
    beside = (-1, *(1,) * (lanes.ndim - 1))
    return sum(
        (columns[term].reshape(beside) * lanes[term] for term in range(1, lanes.shape[0])),
        columns[0].reshape(beside) * lanes[0],
    )


def _sum(weights: jax.Array, lanes: jax.Array) -> jax.Array:
    return sum((weights[term] * lanes[term] for term in range(1, lanes.shape[0])), weights[0] * lanes[0])
