"""The Poisson distribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.functions import times_log
from exmc_actors.model.poisson_draws import draw_poisson
from exmc_actors.model.supports import Integers, NonNegative, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class Poisson(Distribution):
    """The number of events where ``rate`` are expected."""

    rate: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"rate": NonNegative()}
    watched_parameters: ClassVar[tuple[str, ...]] = ("rate",)
    is_discrete: ClassVar[bool] = True

    @property
    def support(self) -> Support:
        """Zero and the whole numbers above it."""
        return Integers(0)

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        count = jnp.asarray(x, dtype=float)
        return times_log(count, jnp.asarray(self.rate, dtype=float)) - jax.lax.lgamma(count + 1.0)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return self.rate

    def mean(self) -> Any:
        """Return the mean."""
        return jnp.asarray(self.rate, dtype=float)

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return draw_poisson(key, self.rate, shape)
