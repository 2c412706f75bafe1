"""Reach the vectors whose entries increase: a first entry, and the logarithms of the steps after it."""

from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax.numpy as jnp

from exmc_actors.compiler.bijectors.bijector import Bijector
from exmc_actors.model import cumsum


@final
@dataclass(frozen=True, eq=False)
class OrderedBijector(Bijector):
    """x[0] = z[0], x[k] = x[k - 1] + exp(z[k])."""

    event_ndim: ClassVar[int] = 1

    def forward(self, z: Any) -> Any:
        """Return the running sums of the steps."""
        return cumsum(jnp.concatenate([z[..., :1], jnp.exp(z[..., 1:])], axis=-1), axis=-1)

    def log_det_jacobian(self, z: Any) -> Any:
        """Return the logarithm of the product of the steps."""
        return jnp.sum(z[..., 1:], axis=-1)

    def inverse(self, x: Any) -> Any:
        """Return the first entry and the logarithms of the steps."""
        return jnp.concatenate([x[..., :1], jnp.log(x[..., 1:] - x[..., :-1])], axis=-1)
