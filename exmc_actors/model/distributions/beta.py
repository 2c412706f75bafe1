"""The beta distribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.functions import log_beta, softplus
from exmc_actors.model.supports import Positive, Support, UnitInterval


@final
@dataclass(frozen=True, eq=False, repr=False)
class Beta(Distribution):
    """The beta distribution with mean ``alpha / (alpha + beta)``."""

    alpha: Any
    beta: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"alpha": Positive(), "beta": Positive()}
    watched_parameters: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    @property
    def support(self) -> Support:
        """Between zero and one."""
        return UnitInterval()

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        return (self.alpha - 1.0) * jnp.log(x) + (self.beta - 1.0) * jnp.log1p(-x)

    def log_kernel_on_line(self, z: Any) -> Any:
        """Return the log kernel at the point of log odds ``z``."""
        return -(self.alpha - 1.0) * softplus(-z) - (self.beta - 1.0) * softplus(z)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return log_beta(jnp.asarray(self.alpha, dtype=float), jnp.asarray(self.beta, dtype=float))

    def mean(self) -> Any:
        """Return the mean."""
        return self.alpha / (self.alpha + self.beta)

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return jax.random.beta(key, self.alpha, self.beta, shape)
