"""Reach the Cholesky factors of correlation matrices by partial correlations (LKJ 2009, section 2.4)."""

from dataclasses import dataclass
from math import isqrt, log
from typing import Any, ClassVar, final

import jax.numpy as jnp
import numpy as np

from exmc_actors.compiler.bijectors.bijector import Bijector
from exmc_actors.model import softplus


@final
@dataclass(frozen=True, eq=False)
class CorrelationCholeskyBijector(Bijector):
    """x[i, j] = tanh(y[i, j]) sqrt(1 - x[i, 0]^2 - ... - x[i, j - 1]^2), y the lower triangle of z by rows.

    Volumes are measured on the entries below the diagonal.
    """

    event_ndim: ClassVar[int] = 1

    def forward(self, z: Any) -> Any:
        """Return the factor; each row's diagonal entry is what makes its length one."""
        y = _lower_triangle(z)
        return jnp.tanh(y) * jnp.exp(0.5 * _left_of(y)) + _diagonal(y)

    def log_det_jacobian(self, z: Any) -> Any:
        """Return the logarithm of the determinant, a triangular one."""
        y = _lower_triangle(z)
        below = np.tri(y.shape[-1], k=-1)
        return jnp.sum(below * (0.5 * _left_of(y) + _log_sech_squared(y)), axis=(-2, -1))

    def inverse(self, x: Any) -> Any:
        """Return the inverse hyperbolic tangents of the partial correlations."""
        count = x.shape[-1]
        squares = x * x
        # What is left of a row from each entry on: exact where little is left, unlike one minus the rest.
        left = jnp.cumsum(squares[..., ::-1], axis=-1)[..., ::-1]
        y = jnp.arctanh(x / jnp.sqrt(left))
        diagonal = jnp.diagonal(x, axis1=-2, axis2=-1)
        inside = (jnp.abs(left[..., :1] - 1.0) <= 1e-9) & (diagonal[..., None] > 0.0)
        rows, columns = np.tril_indices(count, -1)
        return jnp.where(inside, y, jnp.nan)[..., rows, columns]


def _lower_triangle(z: Any) -> Any:
    """Return the matrix with the entries of ``z`` below its diagonal, row by row, and zeros elsewhere."""
    count = (1 + isqrt(1 + 8 * z.shape[-1])) // 2
    rows = []
    for row in range(count):
        start = row * (row - 1) // 2
        widths = [(0, 0)] * (z.ndim - 1) + [(0, count - row)]
        rows.append(jnp.pad(z[..., start : start + row], widths))
    return jnp.stack(rows, axis=-2)


def _log_sech_squared(y: Any) -> Any:
    """Return log(1 - tanh(y)^2) without cancellation."""
    return 2.0 * (log(2.0) - y - softplus(-2.0 * y))


def _left_of(y: Any) -> Any:
    """Return, for each entry, the logarithm of what the entries left of it leave of their row's length."""
    return _log_sech_squared(y) @ np.triu(np.ones(y.shape[-1:] * 2), 1)


def _diagonal(y: Any) -> Any:
    return jnp.exp(0.5 * _left_of(y)) * np.eye(y.shape[-1])
