"""Normalise the density of Normal vectors that add up to zero, on their plane; pure, and traced by JAX."""

from math import sqrt
from typing import Any

import jax
import jax.numpy as jnp

from exmc_actors.model import Normal, Shape


def log_density_of_zero_sums(normal: Normal, shape: Shape) -> jax.Array:
    """Return the log density, at zero, of the coordinate across the plane, summed over all vectors.

    That coordinate is ``sum(x) / sqrt(n)``, which is Normal.  The density of the entries less this one is the
    density of the vector within the plane.

    Args:
      normal: of the entries, with arrays for parameters.
      shape: of the value, whose last axis is the vectors'.
    """
    sigma = jnp.asarray(normal.sigma, float)
    # One scale stays what it is: its square may be out of range.
    scale = jnp.sqrt(_mean(sigma * sigma)) if _varies(sigma) else _mean(sigma)
    across = Normal(sqrt(shape[-1]) * _mean(normal.mu), scale)
    each = -across.log_normaliser()
    if not (isinstance(normal.mu, float) and normal.mu == 0.0):
        each = each + across.log_kernel(0.0)
    return jnp.sum(jnp.broadcast_to(each, shape[:-1]))


def _mean(value: Any) -> jax.Array:
    """Return the mean along the last axis; where that has no more than one entry, it is that of all."""
    array = jnp.asarray(value, float)
    if _varies(array):
        return jnp.mean(array, axis=-1)
    return array[..., 0] if array.ndim else array


def _varies(array: jax.Array) -> bool:
    return array.ndim > 0 and array.shape[-1] > 1
