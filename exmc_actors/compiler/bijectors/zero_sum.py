"""Reach the vectors that add up to zero, by an orthonormal basis of their plane."""

from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar, final

import jax.numpy as jnp

from exmc_actors.compiler.bijectors.bijector import Bijector

_ROUNDING = 1e-9


@final
@dataclass(frozen=True, eq=False)
class ZeroSumBijector(Bijector):
    """The reflection that takes the last axis to the diagonal of the space, applied to (z, 0)."""

    event_ndim: ClassVar[int] = 1

    def forward(self, z: Any) -> Any:
        """Return the point in the plane."""
        count = z.shape[-1] + 1
        total = jnp.sum(z, axis=-1, keepdims=True)
        return jnp.concatenate([z - total / (count - sqrt(count)), total / sqrt(count)], axis=-1)

    def log_det_jacobian(self, z: Any) -> Any:
        """Return zero: a reflection keeps volumes."""
        return jnp.zeros(())

    def inverse(self, x: Any) -> Any:
        """Return the coordinates in the basis."""
        count = x.shape[-1]
        total, size = jnp.sum(x, axis=-1, keepdims=True), jnp.sum(jnp.abs(x), axis=-1, keepdims=True)
        inside = jnp.abs(total) <= _ROUNDING * jnp.maximum(size, 1.0)
        return jnp.where(inside, x[..., :-1] + x[..., -1:] / (sqrt(count) - 1.0), jnp.nan)
