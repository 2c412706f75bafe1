"""Reach the numbers between zero and one by their log odds."""

from dataclasses import dataclass
from typing import Any, final

import jax
import jax.numpy as jnp

from exmc_actors.compiler.bijectors.bijector import Bijector


@final
@dataclass(frozen=True, eq=False)
class LogitBijector(Bijector):
    """x = 1 / (1 + exp(-z))."""

    def forward(self, z: Any) -> Any:
        """Return the logistic function."""
        return jax.nn.sigmoid(z)

    def log_det_jacobian(self, z: Any) -> Any:
        """Return log x + log(1 - x), computed from ``z`` so that neither is lost to rounding."""
        return log_slope(z)

    def inverse(self, x: Any) -> Any:
        """Return the log odds."""
        return jnp.log(x) - jnp.log1p(-x)


def log_slope(z: Any) -> Any:
    """Return the logarithm of the logistic function's derivative; it is even in ``z``."""
    distance = jnp.abs(z)
    return -distance - 2.0 * jnp.log1p(jnp.exp(-distance))
