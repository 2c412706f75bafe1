"""Factor and solve with small matrices inside a folded loop; large ones go to LAPACK, which unfolds it."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

MOST_UNROLLED = 24
"""Rows up to which the work is written out: beyond, LAPACK is as fast and compiling is faster."""


def cholesky(matrix: Any) -> Any:
    """Return the lower triangular factor of each symmetric positive definite matrix; NaN for others."""
    count = matrix.shape[-1]
    if count > MOST_UNROLLED:
        return jnp.tril(lax.linalg.cholesky(matrix, symmetrize_input=False))
    columns: list[Any] = []
    for j in range(count):
        column = matrix[..., :, j]
        for earlier in columns:
            column = column - earlier * earlier[..., j : j + 1]
        column = column / jnp.sqrt(column[..., j : j + 1])
        # Above the diagonal rounding leaves something other than zero.
        columns.append(column * (jnp.arange(count) >= j))
    return jnp.stack(columns, axis=-1)


def solve_lower(factor: Any, vectors: Any) -> Any:
    """Return what ``factor`` times gives ``vectors``; axes before the last are stretched to each other."""
    count = factor.shape[-1]
    if count > MOST_UNROLLED:
        return _solved_by_lapack(factor, vectors)
    solved: list[Any] = []
    for i in range(count):
        rest = vectors[..., i]
        for j, earlier in enumerate(solved):
            rest = rest - factor[..., i, j] * earlier
        solved.append(rest / factor[..., i, i])
    return jnp.stack(solved, axis=-1)


def _solved_by_lapack(factor: Any, vectors: Any) -> Any:
    if factor.ndim == 2:
        rows = vectors.reshape(-1, vectors.shape[-1])
        solved = lax.linalg.triangular_solve(factor, rows, lower=True, transpose_a=True)
        return solved.reshape(vectors.shape)
    batch = jnp.broadcast_shapes(factor.shape[:-2], vectors.shape[:-1])
    factors = jnp.broadcast_to(factor, (*batch, *factor.shape[-2:]))
    columns = jnp.broadcast_to(vectors, (*batch, vectors.shape[-1]))[..., None]
    return lax.linalg.triangular_solve(factors, columns, left_side=True, lower=True)[..., 0]


def log_diagonal(factor: Any) -> Any:
    """Return the sum of the logarithms of each factor's diagonal: half the log determinant of its product."""
    return jnp.sum(jnp.log(diagonal(factor)), axis=-1)


def diagonal(matrix: Any) -> Any:
    """Return the diagonal of each square matrix.

    It is picked by comparison: JAX's own is a gather, whose derivative is a scatter, which does not fold.
    """
    return jnp.sum(jnp.where(np.eye(matrix.shape[-1], dtype=bool), matrix, 0.0), axis=-1)
