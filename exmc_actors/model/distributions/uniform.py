"""The uniform distribution."""

from dataclasses import dataclass
from typing import Any, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.bounds import check_order
from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.supports import Interval, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class Uniform(Distribution):
    """The uniform distribution from ``low`` to ``high``."""

    low: Any
    high: Any

    def __post_init__(self) -> None:
        """Refuse bounds that are known and the wrong way round."""
        super().__post_init__()
        check_order(self, "low", "high")

    @property
    def support(self) -> Support:
        """From low to high."""
        return Interval(self.low, self.high)

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        return jnp.zeros_like(x)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return jnp.log(self.high - self.low)

    def mean(self) -> Any:
        """Return the mean."""
        return 0.5 * (self.low + self.high)

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return jnp.asarray(self.low + (self.high - self.low) * jax.random.uniform(key, shape))
