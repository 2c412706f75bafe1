"""The Bernoulli distribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.functions import times_log, times_log1m
from exmc_actors.model.supports import Integers, Interval, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class Bernoulli(Distribution):
    """One with probability ``p``, else zero."""

    p: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"p": Interval(0, 1)}
    watched_parameters: ClassVar[tuple[str, ...]] = ("p",)
    is_discrete: ClassVar[bool] = True

    @property
    def support(self) -> Support:
        """Zero and one."""
        return Integers(0, 1)

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        p = jnp.asarray(self.p, dtype=float)
        one = jnp.asarray(x, dtype=float)
        return times_log(one, p) + times_log1m(1.0 - one, p)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return 0.0

    def mean(self) -> Any:
        """Return the mean."""
        return jnp.asarray(self.p, dtype=float)

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return jax.random.bernoulli(key, jnp.asarray(self.p, dtype=float), shape).astype(int)
