"""The exponential distribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.supports import NonNegative, Positive, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class Exponential(Distribution):
    """The exponential distribution with mean ``1 / rate``."""

    rate: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"rate": Positive()}

    @property
    def support(self) -> Support:
        """Zero and the numbers above it."""
        return NonNegative()

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        return -self.rate * x

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return -jnp.log(self.rate)

    def mean(self) -> Any:
        """Return the mean."""
        return 1.0 / self.rate

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return jnp.asarray(jax.random.exponential(key, shape) / self.rate)
