"""The Pareto distribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.supports import AtLeast, Positive, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class Pareto(Distribution):
    """The Pareto distribution with tail index ``alpha`` of numbers from ``m`` up."""

    alpha: Any
    m: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"alpha": Positive(), "m": Positive()}

    @property
    def support(self) -> Support:
        """From ``m`` up."""
        return AtLeast(self.m)

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        return -(self.alpha + 1.0) * jnp.log(x / self.m)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return jnp.log(self.m) - jnp.log(self.alpha)

    def mean(self) -> Any:
        """Return the mean: infinite for ``alpha`` of 1 and below."""
        alpha = jnp.asarray(self.alpha, dtype=float)
        is_finite = alpha > 1.0
        mean = self.m * alpha / jnp.where(is_finite, alpha - 1.0, 1.0)
        return jnp.where(is_finite, mean, jnp.inf)

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return jnp.asarray(self.m * jnp.exp(jax.random.exponential(key, shape) / self.alpha))
