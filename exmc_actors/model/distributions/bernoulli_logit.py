"""The Bernoulli distribution, by its log odds."""

from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.functions import softplus
from exmc_actors.model.supports import Integers, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class BernoulliLogit(Distribution):
    """One with probability ``1 / (1 + exp(-eta))``, else zero."""

    eta: Any
    is_discrete: ClassVar[bool] = True

    @property
    def support(self) -> Support:
        """Zero and one."""
        return Integers(0, 1)

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        # x eta - softplus(eta) would lose the small probability of what was all but certain.
        return -softplus((1.0 - 2.0 * jnp.asarray(x, dtype=float)) * self.eta)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return 0.0

    def mean(self) -> Any:
        """Return the mean."""
        return jax.nn.sigmoid(jnp.asarray(self.eta, dtype=float))

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return jax.random.bernoulli(key, self.mean(), shape).astype(int)
