"""The log-normal distribution."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.quotient import over
from exmc_actors.model.supports import Positive, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class LogNormal(Distribution):
    """The distribution of ``exp(z)`` for a normal ``z`` with mean ``mu`` and standard deviation ``sigma``."""

    mu: Any
    sigma: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"sigma": Positive()}

    @property
    def support(self) -> Support:
        """Numbers above zero."""
        return Positive()

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        return self.log_kernel_on_line(jnp.log(x))

    def log_kernel_on_line(self, z: Any) -> Any:
        """Return the log kernel at ``exp(z)``."""
        standard = over(z - self.mu, self.sigma)
        return -0.5 * standard * standard - z

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return jnp.log(self.sigma) + 0.5 * math.log(2.0 * math.pi)

    def mean(self) -> Any:
        """Return the mean."""
        return jnp.exp(self.mu + 0.5 * jnp.square(self.sigma))

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return jnp.exp(self.mu + self.sigma * jax.random.normal(key, shape))
