"""Factor and solve with small matrices inside a folded loop; large ones go to LAPACK, which unfolds it.

Both are loops over rows, with derivatives of their own: written out, the eleven rows of a small Gaussian
process took minutes to compile.
"""

from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

MOST_IN_LOOP = 64
"""Rows up to which a loop does the work.

Measured for a value and slope of a Gaussian process on one core: 16 us against LAPACK's 18 for 24 rows,
130 to 270 against 290 for 64.  Where LAPACK's threads share the processors with others, it took 2,000 us
and more.  Up to 48 rows and a little beyond, XLA folds the loops into the sampler's.
"""


def cholesky(matrix: Any) -> Any:
    """Return the lower triangular factor of each symmetric positive definite matrix; NaN for others."""
    if not matrix.shape[-1]:
        return matrix
    if matrix.shape[-1] > MOST_IN_LOOP:
        return jnp.tril(lax.linalg.cholesky(matrix, symmetrize_input=False))
    return _cholesky(matrix)


def solve_lower(factor: Any, vectors: Any) -> Any:
    """Return what ``factor`` times gives ``vectors``; axes before the last are stretched to each other."""
    if factor.ndim == 2:
        columns = vectors.reshape(prod(vectors.shape[:-1]), vectors.shape[-1]).T
        return _solved(factor, columns).T.reshape(vectors.shape)
    batch = jnp.broadcast_shapes(factor.shape[:-2], vectors.shape[:-1])
    factors = jnp.broadcast_to(factor, (*batch, *factor.shape[-2:]))
    return _solved(factors, jnp.broadcast_to(vectors, (*batch, vectors.shape[-1]))[..., None])[..., 0]


def log_diagonal(factor: Any) -> Any:
    """Return the sum of the logarithms of each factor's diagonal: half the log determinant of its product."""
    return jnp.sum(jnp.log(diagonal(factor)), axis=-1)


def diagonal(matrix: Any) -> Any:
    """Return the diagonal of each square matrix.

    It is picked by comparison: JAX's own is a gather, whose derivative is a scatter, which does not fold.
    """
    return jnp.sum(jnp.where(np.eye(matrix.shape[-1], dtype=bool), matrix, 0.0), axis=-1)


def product(left: Any, right: Any) -> Any:
    """Return the product of small matrices, row by row: as one product of XLA's it would not fold."""

    def add_row(i: Any, rows: jax.Array) -> jax.Array:
        weights = lax.dynamic_index_in_dim(left, i, axis=-2)
        return lax.dynamic_update_slice_in_dim(rows, _weighted_sum(weights, right), i, axis=-2)

    start = jnp.zeros((*left.shape[:-1], right.shape[-1]), right.dtype)
    return lax.fori_loop(0, left.shape[-2], add_row, start)


def _weighted_sum(weights: jax.Array, rows: jax.Array) -> jax.Array:
    """Return the sum of all rows by the weights in a matrix of one row."""
    if rows.ndim == 2:
        return (weights[0] @ rows)[None]
    return jnp.sum(jnp.swapaxes(weights, -1, -2) * rows, axis=-2, keepdims=True)


def _solved(factor: Any, columns: Any) -> Any:
    if not factor.shape[-1]:
        return columns
    if factor.shape[-1] > MOST_IN_LOOP:
        return lax.linalg.triangular_solve(factor, columns, left_side=True, lower=True)
    return _solve(factor, columns)


@jax.custom_vjp
def _cholesky(matrix: jax.Array) -> jax.Array:
    return _factored(matrix)


def _cholesky_forward(matrix: jax.Array) -> tuple[jax.Array, jax.Array]:
    factor = _factored(matrix)
    return factor, factor


def _cholesky_backward(factor: jax.Array, slope: jax.Array) -> tuple[jax.Array]:
    """Return the slope in the matrix: Murray (2016), Differentiation of the Cholesky decomposition, (10)."""
    turned = jnp.swapaxes(factor, -1, -2)
    halved = jnp.where(np.eye(factor.shape[-1], dtype=bool), 0.5, 1.0)
    inner = _lower(product(turned, _lower(slope))) * halved
    left = _substituted(turned, inner, backwards=True)
    whole = _substituted(turned, jnp.swapaxes(left, -1, -2), backwards=True)
    return (0.5 * (whole + jnp.swapaxes(whole, -1, -2)),)


_cholesky.defvjp(_cholesky_forward, _cholesky_backward)


@jax.custom_vjp
def _solve(factor: jax.Array, columns: jax.Array) -> jax.Array:
    return _substituted(_lower(factor), columns)


def _solve_forward(factor: jax.Array, columns: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    solved = _substituted(_lower(factor), columns)
    return solved, (factor, solved)


def _solve_backward(kept: tuple[jax.Array, jax.Array], slope: jax.Array) -> tuple[jax.Array, jax.Array]:
    factor, solved = kept
    of_columns = _substituted(jnp.swapaxes(_lower(factor), -1, -2), slope, backwards=True)
    return -_lower(product(of_columns, jnp.swapaxes(solved, -1, -2))), of_columns


_solve.defvjp(_solve_forward, _solve_backward)


def _lower(matrix: jax.Array) -> jax.Array:
    """Return the lower triangle; what stands above may be anything."""
    return jnp.where(np.tri(matrix.shape[-1], dtype=bool), matrix, 0.0)


def _factored(matrix: jax.Array) -> jax.Array:
    """Return the lower factor, made row by row of its transpose."""
    count = matrix.shape[-1]

    def add_row(j: Any, rows: jax.Array) -> jax.Array:
        weights = jnp.swapaxes(lax.dynamic_index_in_dim(rows, j, axis=-1), -1, -2)
        given = lax.dynamic_index_in_dim(matrix, j, axis=-2)
        row = given - _weighted_sum(weights, rows)
        row = row / jnp.sqrt(lax.dynamic_index_in_dim(row, j, axis=-1))
        # Left of the diagonal rounding leaves something other than zero.
        row = jnp.where(jnp.arange(count) >= j, row, 0.0)
        return lax.dynamic_update_slice_in_dim(rows, row, j, axis=-2)

    return jnp.swapaxes(lax.fori_loop(0, count, add_row, jnp.zeros_like(matrix)), -1, -2)


def _substituted(matrix: jax.Array, columns: jax.Array, *, backwards: bool = False) -> jax.Array:
    """Return what a triangular matrix times gives ``columns``, from its first row on or from its last."""
    count = matrix.shape[-1]

    def add_row(step: Any, solved: jax.Array) -> jax.Array:
        i = count - 1 - step if backwards else step
        weights = lax.dynamic_index_in_dim(matrix, i, axis=-2)
        given = lax.dynamic_index_in_dim(columns, i, axis=-2)
        row = (given - _weighted_sum(weights, solved)) / lax.dynamic_index_in_dim(weights, i, axis=-1)
        return lax.dynamic_update_slice_in_dim(solved, row, i, axis=-2)

    start = jnp.zeros_like(columns)
    solved: jax.Array = lax.fori_loop(0, count, add_row, start)
    return solved
