"""The Kumaraswamy distribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.functions import log1mexp, log_beta, softplus
from exmc_actors.model.supports import Positive, Support, UnitInterval

_ALL_BUT_ONE = 40.0
"""Log odds beyond which one plus the odds is the odds."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class Kumaraswamy(Distribution):
    """The distribution on the unit interval with distribution function ``1 - (1 - x ** a) ** b``."""

    a: Any
    b: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"a": Positive(), "b": Positive()}

    @property
    def support(self) -> Support:
        """Between zero and one."""
        return UnitInterval()

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        log_x = jnp.log(x)
        return (self.a - 1.0) * log_x + (self.b - 1.0) * log1mexp(-self.a * log_x)

    def log_kernel_on_line(self, z: Any) -> Any:
        """Return the log kernel at the point of log odds ``z``."""
        minus_log_x = softplus(-z)
        is_near_one = z > _ALL_BUT_ONE
        # Zero is where the other form has no slope.
        rest = log1mexp(self.a * jnp.where(is_near_one, 1.0, minus_log_x))
        rest = jnp.where(is_near_one, jnp.log(self.a) - z, rest)
        return -(self.a - 1.0) * minus_log_x + (self.b - 1.0) * rest

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return -jnp.log(self.a) - jnp.log(self.b)

    def mean(self) -> Any:
        """Return the mean."""
        a, b = jnp.asarray(self.a, dtype=float), jnp.asarray(self.b, dtype=float)
        return b * jnp.exp(log_beta(1.0 + 1.0 / a, b))

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return jnp.exp(log1mexp(jax.random.exponential(key, shape) / self.b) / self.a)
