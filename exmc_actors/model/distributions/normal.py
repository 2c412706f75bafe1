"""The normal distribution."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.quotient import over
from exmc_actors.model.supports import Positive, Real, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class Normal(Distribution):
    """The normal distribution with mean ``mu`` and standard deviation ``sigma``."""

    mu: Any
    sigma: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"sigma": Positive()}
    is_location_scale: ClassVar[bool] = True

    @property
    def support(self) -> Support:
        """Every number."""
        return Real()

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        z = over(x - self.mu, self.sigma)
        return -0.5 * z * z

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return jnp.log(self.sigma) + 0.5 * math.log(2.0 * math.pi)

    def mean(self) -> Any:
        """Return the mean."""
        return self.mu + jnp.zeros_like(self.sigma, dtype=float)

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return jnp.asarray(self.mu + self.sigma * jax.random.normal(key, shape))
