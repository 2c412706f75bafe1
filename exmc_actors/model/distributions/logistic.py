"""The logistic distribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.functions import softplus
from exmc_actors.model.quotient import over
from exmc_actors.model.supports import Positive, Real, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class Logistic(Distribution):
    """The distribution of ``mu + s * log(u / (1 - u))`` for a uniform ``u``."""

    mu: Any
    s: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"s": Positive()}

    @property
    def support(self) -> Support:
        """Every number."""
        return Real()

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        z = over(x - self.mu, self.s)
        return -z - 2.0 * softplus(-z)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return jnp.log(self.s)

    def mean(self) -> Any:
        """Return the mean."""
        return self.mu + jnp.zeros_like(self.s, dtype=float)

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return jnp.asarray(self.mu + self.s * jax.random.logistic(key, shape))
