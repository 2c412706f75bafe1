"""Invert small square matrices inside a folded loop; large ones go to LAPACK, which unfolds it.

Gauss and Jordan's elimination with the largest pivot of each column.  A matrix that is known before sampling
never comes here: NumPy inverts it once.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from exmc_actors.model.triangular import MOST_IN_LOOP, product


def inverse_and_log_det(matrix: Any) -> tuple[Any, Any]:
    """Return the inverse of a matrix, and the logarithm of the size of its determinant."""
    if not 0 < matrix.shape[-1] <= MOST_IN_LOOP:
        return jnp.linalg.inv(matrix), jnp.linalg.slogdet(matrix)[1]
    return _inverted(matrix)


def solve(matrix: Any, b: Any) -> Any:
    """Return what a square matrix times gives ``b``, a vector or a matrix of columns."""
    if not 0 < matrix.shape[-1] <= MOST_IN_LOOP:
        return jnp.linalg.solve(matrix, b)
    inverse = _inverted(matrix)[0]
    return product(inverse, b) if b.ndim == 2 else inverse @ b


@jax.custom_vjp
def _inverted(matrix: jax.Array) -> tuple[jax.Array, jax.Array]:
    return _eliminated(matrix)


def _inverted_forward(matrix: jax.Array) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
    found = _eliminated(matrix)
    return found, found[0]


def _inverted_backward(inverse: jax.Array, slopes: tuple[jax.Array, jax.Array]) -> tuple[jax.Array]:
    turned = inverse.T
    of_inverse, of_log_det = slopes
    return (of_log_det * turned - product(product(turned, of_inverse), turned),)


_inverted.defvjp(_inverted_forward, _inverted_backward)


def _eliminated(matrix: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return the inverse and the log determinant, made column by column of ``[matrix, identity]``."""
    count = matrix.shape[-1]
    numbers = jnp.arange(count)

    def clear_column(k: Any, state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        rows, log_det = state
        sizes = jnp.where(numbers >= k, jnp.abs(lax.dynamic_index_in_dim(rows, k, 1, keepdims=False)), -1.0)
        at = jnp.min(jnp.where(sizes == jnp.max(sizes), numbers, count - 1))
        best = lax.dynamic_index_in_dim(rows, at, 0)
        rows = lax.dynamic_update_slice_in_dim(rows, lax.dynamic_index_in_dim(rows, k, 0), at, 0)
        pivot = lax.dynamic_index_in_dim(best, k, 1)
        best = best / pivot
        column = lax.dynamic_index_in_dim(rows, k, 1)
        rows = lax.dynamic_update_slice_in_dim(rows - column * best, best, k, 0)
        return rows, log_det + jnp.log(jnp.abs(pivot[0, 0]))

    start = jnp.concatenate([matrix, jnp.broadcast_to(np.eye(count), matrix.shape)], axis=1)
    rows, log_det = lax.fori_loop(0, count, clear_column, (start, jnp.zeros((), matrix.dtype)))
    return rows[:, count:], log_det
