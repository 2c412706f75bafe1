"""Reach the numbers on one side of a bound by the logarithm of the distance from it."""

from dataclasses import dataclass
from typing import Any, final

import jax.numpy as jnp

from exmc_actors.compiler.bijectors.bijector import Bijector


@final
@dataclass(frozen=True, eq=False)
class LowerBoundedBijector(Bijector):
    """x = low + exp(z)."""

    low: Any

    def forward(self, z: Any) -> Any:
        """Return a number above the bound."""
        return self.low + jnp.exp(z)

    def log_det_jacobian(self, z: Any) -> Any:
        """Return the logarithm of the slope."""
        return z

    def inverse(self, x: Any) -> Any:
        """Return the logarithm of the distance."""
        return jnp.log(x - self.low)


@final
@dataclass(frozen=True, eq=False)
class UpperBoundedBijector(Bijector):
    """x = high - exp(z)."""

    high: Any

    def forward(self, z: Any) -> Any:
        """Return a number below the bound."""
        return self.high - jnp.exp(z)

    def log_det_jacobian(self, z: Any) -> Any:
        """Return the logarithm of the slope's size."""
        return z

    def inverse(self, x: Any) -> Any:
        """Return the logarithm of the distance."""
        return jnp.log(self.high - x)
