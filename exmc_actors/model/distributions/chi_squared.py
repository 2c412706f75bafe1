"""The chi-squared distribution."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.supports import Positive, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class ChiSquared(Distribution):
    """The distribution of the sum of ``nu`` squared standard normals; ``nu`` need not be whole."""

    nu: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"nu": Positive()}
    watched_parameters: ClassVar[tuple[str, ...]] = ("nu",)

    @property
    def support(self) -> Support:
        """Numbers above zero."""
        return Positive()

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        return (0.5 * self.nu - 1.0) * jnp.log(x) - 0.5 * x

    def log_kernel_on_line(self, z: Any) -> Any:
        """Return the log kernel at ``exp(z)``."""
        return (0.5 * self.nu - 1.0) * z - 0.5 * jnp.exp(z)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        half = 0.5 * jnp.asarray(self.nu, dtype=float)
        return jax.lax.lgamma(half) + half * math.log(2.0)

    def mean(self) -> Any:
        """Return the mean."""
        return jnp.asarray(self.nu, dtype=float)

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return 2.0 * jax.random.gamma(key, 0.5 * jnp.asarray(self.nu, dtype=float), shape)
