"""The half-normal distribution."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.quotient import over
from exmc_actors.model.supports import NonNegative, Positive, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class HalfNormal(Distribution):
    """The absolute value of a normal variable with mean zero and standard deviation ``sigma``."""

    sigma: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"sigma": Positive()}

    @property
    def support(self) -> Support:
        """Zero and the numbers above it."""
        return NonNegative()

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        z = over(x, self.sigma)
        return -0.5 * z * z

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return jnp.log(self.sigma) + 0.5 * math.log(0.5 * math.pi)

    def mean(self) -> Any:
        """Return the mean."""
        return self.sigma * math.sqrt(2.0 / math.pi)

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return jnp.asarray(self.sigma * jnp.abs(jax.random.normal(key, shape)))
