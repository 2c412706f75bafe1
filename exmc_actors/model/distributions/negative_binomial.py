"""The negative binomial distribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.functions import log_rising, times_log_share
from exmc_actors.model.poisson_draws import draw_poisson
from exmc_actors.model.supports import Integers, NonNegative, Positive, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class NegativeBinomial(Distribution):
    """Counts with mean ``mu`` and variance ``mu + mu ** 2 / alpha``: Poisson, of a gamma rate."""

    mu: Any
    alpha: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"mu": NonNegative(), "alpha": Positive()}
    watched_parameters: ClassVar[tuple[str, ...]] = ("mu", "alpha")
    is_discrete: ClassVar[bool] = True

    @property
    def support(self) -> Support:
        """Zero and the whole numbers above it."""
        return Integers(0)

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        count = jnp.asarray(x, dtype=float)
        choices = log_rising(self.alpha, count) - jax.lax.lgamma(count + 1.0)
        return choices + times_log_share(count, jnp.asarray(self.mu, dtype=float), self.alpha)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return self.alpha * jnp.log1p(self.mu / self.alpha)

    def mean(self) -> Any:
        """Return the mean."""
        return self.mu + jnp.zeros_like(self.alpha, dtype=float)

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        of_rate, of_x = jax.random.split(key)
        share = jax.random.gamma(of_rate, self.alpha, shape) / self.alpha
        return draw_poisson(of_x, self.mu * share, shape)
