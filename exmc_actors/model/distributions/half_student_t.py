"""The half of Student's t distribution."""

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
from exmc_actors.model.supports import NonNegative, Positive, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class HalfStudentT(Distribution):
    """The absolute value of a Student t variable around zero: ``nu`` degrees of freedom, scale ``sigma``."""

    nu: Any
    sigma: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"nu": Positive(), "sigma": Positive()}

    @property
    def support(self) -> Support:
        """Zero and the numbers above it."""
        return NonNegative()

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        z = over(x, self.sigma * jnp.sqrt(self.nu))
        return -0.5 * (self.nu + 1.0) * log1p_square(z)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        nu = jnp.asarray(self.nu, dtype=float)
        return 0.5 * jnp.log(nu * (0.25 * math.pi)) - log_rising(0.5 * nu, 0.5) + jnp.log(self.sigma)

    def mean(self) -> Any:
        """Return the mean: infinite for ``nu`` of 1 and below."""
        nu = jnp.asarray(self.nu, dtype=float)
        is_finite = nu > 1.0
        safe = jnp.where(is_finite, nu, 2.0)
        mean = (
            2.0 * self.sigma * jnp.sqrt(safe / math.pi) * jnp.exp(log_rising(0.5 * safe, 0.5)) / (safe - 1.0)
        )
        return jnp.where(is_finite, mean, jnp.inf)

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return jnp.asarray(self.sigma * jnp.abs(jax.random.t(key, self.nu, shape)))
