"""Reach the numbers between two bounds by the log odds of how far along they are."""

from dataclasses import dataclass
from typing import Any, final

import jax
import jax.numpy as jnp

from exmc_actors.compiler.bijectors.bijector import Bijector
from exmc_actors.compiler.bijectors.logit import log_slope


@final
@dataclass(frozen=True, eq=False)
class ScaledLogitBijector(Bijector):
    """x = low + (high - low) / (1 + exp(-z))."""

    low: Any
    high: Any

    def forward(self, z: Any) -> Any:
        """Return the logistic function, stretched from low to high."""
        return self.low + (self.high - self.low) * jax.nn.sigmoid(z)

    def log_det_jacobian(self, z: Any) -> Any:
        """Return the logarithm of the slope."""
        return jnp.log(self.high - self.low) + log_slope(z)

    def inverse(self, x: Any) -> Any:
        """Return the log odds; both distances are exact near their own bound."""
        return jnp.log(x - self.low) - jnp.log(self.high - x)
