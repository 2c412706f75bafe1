"""Compute, in JAX, the functions of matrices that ``ex.math`` offers; factors and solutions are beside it."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from exmc_actors.model import triangular


def outer(a: Any, b: Any) -> Any:
    """Return the products of each entry of one vector with each of another."""
    return a[:, None] * b[None, :]


def diag(x: Any) -> Any:
    """Return the matrix with a vector on its diagonal, or the diagonal of a matrix."""
    if x.ndim == 1:
        return jnp.where(np.eye(x.shape[0], dtype=bool), x[:, None], 0.0)
    count = min(x.shape)
    return triangular.diagonal(x[:count, :count])


def solve_triangular(factor: Any, b: Any, lower: int) -> Any:
    """Return what a triangular matrix times gives ``b``, a vector or a matrix of columns."""
    if not lower:
        # Read from its last entry backwards, an upper triangle is a lower one.
        return solve_triangular(factor[::-1, ::-1], b[::-1], 1)[::-1]
    return triangular.solve_lower(factor, b.T).T
