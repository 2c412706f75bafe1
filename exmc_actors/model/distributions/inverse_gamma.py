"""The inverse gamma distribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.supports import Positive, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class InverseGamma(Distribution):
    """The distribution of ``1 / g`` for a gamma variable ``g`` with shape ``alpha`` and rate ``beta``."""

    alpha: Any
    beta: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"alpha": Positive(), "beta": Positive()}
    watched_parameters: ClassVar[tuple[str, ...]] = ("alpha",)

    @property
    def support(self) -> Support:
        """Numbers above zero."""
        return Positive()

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        return -(self.alpha + 1.0) * jnp.log(x) - self.beta / x

    def log_kernel_on_line(self, z: Any) -> Any:
        """Return the log kernel at ``exp(z)``."""
        return -(self.alpha + 1.0) * z - self.beta * jnp.exp(-z)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        alpha = jnp.asarray(self.alpha, dtype=float)
        return jax.lax.lgamma(alpha) - alpha * jnp.log(self.beta)

    def mean(self) -> Any:
        """Return the mean: infinite for ``alpha`` of 1 and below."""
        alpha = jnp.asarray(self.alpha, dtype=float)
        is_finite = alpha > 1.0
        return jnp.where(is_finite, self.beta / jnp.where(is_finite, alpha - 1.0, 1.0), jnp.inf)

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        # A gamma variable of little shape is often rounded to zero; its logarithm is not.
        return jnp.asarray(self.beta * jnp.exp(-jax.random.loggamma(key, self.alpha, shape)))
