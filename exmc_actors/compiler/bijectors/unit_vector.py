"""Reach the vectors of length one, as directions of vectors of any length."""

from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax.numpy as jnp

from exmc_actors.compiler.bijectors.bijector import Bijector

_ROUNDING = 1e-9


@final
@dataclass(frozen=True, eq=False)
class UnitVectorBijector(Bijector):
    """x = z / |z|.

    All multiples of a vector share a direction; ``inverse`` returns the one of length one.
    """

    event_ndim: ClassVar[int] = 1

    def forward(self, z: Any) -> Any:
        """Return the direction."""
        return z / jnp.sqrt(jnp.sum(z * z, axis=-1, keepdims=True))

    def log_det_jacobian(self, z: Any) -> Any:
        """Return the standard normal's log density, without its constant, in place of a determinant."""
        return -0.5 * jnp.sum(z * z, axis=-1)

    def inverse(self, x: Any) -> Any:
        """Return the direction itself."""
        is_unit = jnp.abs(jnp.sum(x * x, axis=-1, keepdims=True) - 1.0) <= _ROUNDING
        return jnp.where(is_unit, x, jnp.nan)
