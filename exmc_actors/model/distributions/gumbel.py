"""The Gumbel distribution."""

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
class Gumbel(Distribution):
    """The Gumbel distribution of maxima, with mode ``mu`` and scale ``beta``."""

    mu: Any
    beta: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"beta": Positive()}

    @property
    def support(self) -> Support:
        """Every number."""
        return Real()

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        z = over(x - self.mu, self.beta)
        return -z - jnp.exp(-z)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return jnp.log(self.beta)

    def mean(self) -> Any:
        """Return the mean."""
        return self.mu + self.beta * jnp.euler_gamma

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return jnp.asarray(self.mu + self.beta * jax.random.gumbel(key, shape))
