"""The zero-inflated Poisson distribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.functions import times_log
from exmc_actors.model.poisson_draws import draw_poisson
from exmc_actors.model.supports import Integers, Interval, NonNegative, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class ZeroInflatedPoisson(Distribution):
    """A Poisson variable with mean ``mu``, kept with probability ``psi`` and else replaced by zero."""

    psi: Any
    mu: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"psi": Interval(0, 1), "mu": NonNegative()}
    watched_parameters: ClassVar[tuple[str, ...]] = ("psi", "mu")
    is_discrete: ClassVar[bool] = True

    @property
    def support(self) -> Support:
        """Zero and the whole numbers above it."""
        return Integers(0)

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        count = jnp.asarray(x, dtype=float)
        psi, mu = jnp.asarray(self.psi, dtype=float), jnp.asarray(self.mu, dtype=float)
        kept = times_log(count, mu) - mu - jax.lax.lgamma(count + 1.0)
        return jnp.where(count == 0.0, _log_zero(psi, mu), kept + times_log(jnp.sign(count), psi))

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return 0.0

    def mean(self) -> Any:
        """Return the mean."""
        return jnp.multiply(self.psi, jnp.asarray(self.mu, dtype=float))

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        of_kept, of_x = jax.random.split(key)
        is_kept = jax.random.bernoulli(of_kept, jnp.asarray(self.psi, dtype=float), shape)
        return jnp.where(is_kept, draw_poisson(of_x, self.mu, shape), 0)


@jax.custom_jvp
def _log_zero(psi: Any, mu: Any) -> jax.Array:
    """Return log(1 - psi + psi exp(-mu)), the log probability of zero."""
    lost = psi * jnp.expm1(-mu)
    value = jnp.where(lost > -0.5, jnp.log1p(lost), jnp.log((1.0 - psi) + psi * jnp.exp(-mu)))
    # Without an excess of zeros, all of it may be rounded to zero.
    return jnp.where(psi == 1.0, -mu, value)


@_log_zero.defjvp
def _log_zero_jvp(primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[jax.Array, jax.Array]:
    psi, mu = primals
    kept = psi * jnp.exp(-mu)
    zero = (1.0 - psi) + kept
    of_mu = jnp.where(psi == 1.0, -1.0, -kept / zero)
    return _log_zero(psi, mu), (jnp.expm1(-mu) / zero) * tangents[0] + of_mu * tangents[1]
