"""Compute, in JAX, the functions of matrices that ``ex.math`` offers; factors and solutions are beside it."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from exmc_actors.model import triangular

_MOST_UNROLLED = 8
_MOST_PRODUCTS = 2**14


def matmul(a: Any, b: Any) -> Any:
    """Return ``a @ b``; of two small matrices, in a form that folds, as a product of XLA's does not."""
    is_small = jnp.ndim(a) == jnp.ndim(b) == 2 and a.shape[1] <= _MOST_UNROLLED
    if not is_small or a.size * b.shape[1] > _MOST_PRODUCTS:
        return jnp.matmul(a, b)
    products = [a[:, k, None] * b[k] for k in range(a.shape[1])]
    return sum(products[1:], products[0]) if products else jnp.matmul(a, b)


def dot(a: Any, b: Any) -> Any:
    """Return the product of numbers, vectors or matrices."""
    return matmul(a, b) if jnp.ndim(a) and jnp.ndim(b) else jnp.multiply(a, b)


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
