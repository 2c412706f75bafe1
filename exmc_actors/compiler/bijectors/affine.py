"""Move and scale a value: the non-centred form of a location-scale variable."""

from dataclasses import dataclass
from typing import Any, final

import jax.numpy as jnp

from exmc_actors.compiler.bijectors.bijector import Bijector


@final
@dataclass(frozen=True, eq=False)
class AffineBijector(Bijector):
    """x = loc + scale * z, for a positive scale."""

    loc: Any
    scale: Any

    def forward(self, z: Any) -> Any:
        """Return the moved and scaled value."""
        return self.loc + self.scale * z

    def log_det_jacobian(self, z: Any) -> Any:
        """Return the logarithm of the scale, in the scale's shape."""
        return jnp.log(self.scale)

    def inverse(self, x: Any) -> Any:
        """Return how many scales ``x`` lies from loc."""
        return (x - self.loc) / self.scale
