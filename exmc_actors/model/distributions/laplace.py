"""The Laplace distribution."""

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
class Laplace(Distribution):
    """The distribution with density ``exp(-|x - mu| / b) / (2 b)``: its mean is ``mu``."""

    mu: Any
    b: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"b": Positive()}

    @property
    def support(self) -> Support:
        """Every number."""
        return Real()

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        return -over(jnp.abs(x - self.mu), self.b)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return jnp.log(self.b) + math.log(2.0)

    def mean(self) -> Any:
        """Return the mean."""
        return self.mu + jnp.zeros_like(self.b, dtype=float)

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return jnp.asarray(self.mu + self.b * jax.random.laplace(key, shape))
