"""Student's t distribution."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.functions import log_rising
from exmc_actors.model.logarithms import log1p_square
from exmc_actors.model.quotient import over
from exmc_actors.model.supports import Positive, Real, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class StudentT(Distribution):
    """Student's t distribution with ``nu`` degrees of freedom, moved by ``mu`` and scaled by ``sigma``."""

    nu: Any
    mu: Any
    sigma: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"nu": Positive(), "sigma": Positive()}
    is_location_scale: ClassVar[bool] = True

    @property
    def support(self) -> Support:
        """Every number."""
        return Real()

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        z = over(x - self.mu, self.sigma * jnp.sqrt(self.nu))
        return -0.5 * (self.nu + 1.0) * log1p_square(z)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        nu = jnp.asarray(self.nu, dtype=float)
        return 0.5 * jnp.log(nu * math.pi) - log_rising(0.5 * nu, 0.5) + jnp.log(self.sigma)

    def mean(self) -> Any:
        """Return the mean."""
        return jnp.where(
            jnp.asarray(self.nu) > 1.0, self.mu + jnp.zeros_like(self.sigma, dtype=float), jnp.nan
        )

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return jnp.asarray(self.mu + self.sigma * jax.random.t(key, self.nu, shape))
