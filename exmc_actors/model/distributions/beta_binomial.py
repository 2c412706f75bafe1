"""The beta-binomial distribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.functions import log_choose, log_rising
from exmc_actors.model.supports import Integers, Positive, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class BetaBinomial(Distribution):
    """The number of successes in ``n`` trials whose common probability is ``Beta(alpha, beta)``."""

    n: Any
    alpha: Any
    beta: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {
        "n": Integers(0),
        "alpha": Positive(),
        "beta": Positive(),
    }
    watched_parameters: ClassVar[tuple[str, ...]] = ("alpha", "beta")
    is_discrete: ClassVar[bool] = True

    @property
    def support(self) -> Support:
        """From zero to ``n``."""
        return Integers(0, self.n)

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        successes = jnp.asarray(x, dtype=float)
        failures = self.n - successes
        of_successes, of_failures = log_rising(self.alpha, successes), log_rising(self.beta, failures)
        return log_choose(self.n, successes) + of_successes + of_failures

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return log_rising(jnp.asarray(self.alpha + self.beta, dtype=float), self.n)

    def mean(self) -> Any:
        """Return the mean."""
        return self.n * (self.alpha / (jnp.asarray(self.alpha, dtype=float) + self.beta))

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        of_p, of_x = jax.random.split(key)
        p = jax.random.beta(of_p, self.alpha, self.beta, shape)
        return jax.random.binomial(of_x, jnp.asarray(self.n, dtype=float), p, shape).astype(int)
