"""Reach the positive numbers by their logarithm."""

from dataclasses import dataclass
from typing import Any, final

import jax.numpy as jnp

from exmc_actors.compiler.bijectors.bijector import Bijector


@final
@dataclass(frozen=True, eq=False)
class LogBijector(Bijector):
    """x = exp(z)."""

    def forward(self, z: Any) -> Any:
        """Return the exponential."""
        return jnp.exp(z)

    def log_det_jacobian(self, z: Any) -> Any:
        """Return ``z``: the exponential is its own derivative."""
        return z

    def inverse(self, x: Any) -> Any:
        """Return the logarithm."""
        return jnp.log(x)
