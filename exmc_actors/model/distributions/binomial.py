"""The binomial distribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.functions import log_choose, times_log, times_log1m
from exmc_actors.model.supports import Integers, Interval, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class Binomial(Distribution):
    """The number of successes in ``n`` trials that succeed with probability ``p`` each."""

    n: Any
    p: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"n": Integers(0), "p": Interval(0, 1)}
    watched_parameters: ClassVar[tuple[str, ...]] = ("p",)
    is_discrete: ClassVar[bool] = True

    @property
    def support(self) -> Support:
        """From zero to ``n``."""
        return Integers(0, self.n)

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        p = jnp.asarray(self.p, dtype=float)
        successes = jnp.asarray(x, dtype=float)
        failures = self.n - successes
        return times_log(successes, p) + times_log1m(failures, p) + log_choose(self.n, successes)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return 0.0

    def mean(self) -> Any:
        """Return the mean."""
        return jnp.multiply(self.n, jnp.asarray(self.p, dtype=float))

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        n, p = jnp.asarray(self.n, dtype=float), jnp.asarray(self.p, dtype=float)
        return jax.random.binomial(key, n, p, shape).astype(int)
