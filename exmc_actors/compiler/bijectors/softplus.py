"""Reach the positive numbers by log(1 + exp(z)), which is nearly z itself where z is large."""

from dataclasses import dataclass
from typing import Any, final

import jax.numpy as jnp

from exmc_actors.compiler.bijectors.bijector import Bijector
from exmc_actors.model import softplus


@final
@dataclass(frozen=True, eq=False)
class SoftplusBijector(Bijector):
    """x = log(1 + exp(z))."""

    def forward(self, z: Any) -> Any:
        """Return the softplus."""
        return softplus(z)

    def log_det_jacobian(self, z: Any) -> Any:
        """Return the logarithm of the slope, which is the logistic function."""
        return -softplus(-z)

    def inverse(self, x: Any) -> Any:
        """Return log(exp(x) - 1) without overflow."""
        return x + jnp.log(-jnp.expm1(-x))
