"""The Weibull distribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.supports import Positive, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class Weibull(Distribution):
    """The Weibull distribution with shape ``alpha`` and scale ``beta``."""

    alpha: Any
    beta: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"alpha": Positive(), "beta": Positive()}

    @property
    def support(self) -> Support:
        """Numbers above zero."""
        return Positive()

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        return self._at(jnp.log(x / self.beta))

    def log_kernel_on_line(self, z: Any) -> Any:
        """Return the log kernel at ``exp(z)``."""
        return self._at(z - jnp.log(self.beta))

    def _at(self, log_ratio: Any) -> Any:
        return (self.alpha - 1.0) * log_ratio - jnp.exp(self.alpha * log_ratio)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return jnp.log(self.beta) - jnp.log(self.alpha)

    def mean(self) -> Any:
        """Return the mean."""
        return self.beta * jnp.exp(jax.lax.lgamma(1.0 + 1.0 / jnp.asarray(self.alpha, dtype=float)))

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return jnp.asarray(
            self.beta * jax.random.exponential(key, shape) ** (1.0 / jnp.asarray(self.alpha, dtype=float))
        )
