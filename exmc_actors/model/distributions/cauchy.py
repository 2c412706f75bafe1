"""The Cauchy distribution."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.logarithms import log1p_square
from exmc_actors.model.quotient import over
from exmc_actors.model.supports import Positive, Real, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class Cauchy(Distribution):
    """The Cauchy distribution with median ``mu`` and half-width ``sigma``."""

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
        return -log1p_square(z)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return jnp.log(self.sigma) + math.log(math.pi)

    def mean(self) -> Any:
        """Return NaN: the mean is undefined."""
        return jnp.full(jnp.broadcast_shapes(jnp.shape(self.mu), jnp.shape(self.sigma)), jnp.nan)

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return jnp.asarray(self.mu + self.sigma * jax.random.cauchy(key, shape))
