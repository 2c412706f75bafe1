"""The geometric distribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.functions import times_log1m
from exmc_actors.model.supports import Integers, Interval, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class Geometric(Distribution):
    """The number of trials up to and including the first that succeeds, each with probability ``p``."""

    p: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"p": Interval(0, 1)}
    watched_parameters: ClassVar[tuple[str, ...]] = ("p",)
    is_discrete: ClassVar[bool] = True

    @property
    def support(self) -> Support:
        """One and the whole numbers above it."""
        return Integers(1)

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        failures = jnp.asarray(x, dtype=float) - 1.0
        return times_log1m(failures, jnp.asarray(self.p, dtype=float))

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return -jnp.log(self.p)

    def mean(self) -> Any:
        """Return the mean."""
        return 1.0 / jnp.asarray(self.p, dtype=float)

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return jax.random.geometric(key, jnp.asarray(self.p, dtype=float), shape)
