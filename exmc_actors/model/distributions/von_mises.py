"""The von Mises distribution."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.expression import Expression, as_expression
from exmc_actors.model.functions import log_bessel_i0e
from exmc_actors.model.supports import Interval, NonNegative, Support

_NEARLY_UNIFORM = 1e-9


@final
@dataclass(frozen=True, eq=False, repr=False)
class VonMises(Distribution):
    """The distribution of angles around ``mu`` with concentration ``kappa``: 0 is uniform on the circle.

    Values lie between -pi and pi, and chains do not pass from one end to the other: of an angle that may lie
    there, sample the distance from a likely one.
    """

    mu: Any
    kappa: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"kappa": NonNegative()}
    watched_parameters: ClassVar[tuple[str, ...]] = ("kappa",)

    @property
    def support(self) -> Support:
        """From -pi to pi."""
        low, high = -math.pi, math.pi
        # In a model the bounds become those of a transform, which are expressions as the parameters are.
        declared = isinstance(self.kappa, Expression)
        return Interval(as_expression(low), as_expression(high)) if declared else Interval(low, high)

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        # kappa cos(x - mu) less its largest value, which would drown the difference.
        return -2.0 * self.kappa * jnp.square(jnp.sin(0.5 * (x - self.mu)))

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return math.log(2.0 * math.pi) + log_bessel_i0e(self.kappa)

    def mean(self) -> Any:
        """Return the mean direction."""
        return _wrapped(self.mu + jnp.zeros_like(self.kappa, dtype=float))

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return _wrapped(self.mu + _angle(key, self.kappa, shape))


def _wrapped(angle: Any) -> jax.Array:
    """Return the same direction as an angle from -pi to pi."""
    turns = jnp.round(angle / (2.0 * math.pi))
    return jnp.clip(angle - 2.0 * math.pi * turns, -math.pi, math.pi)


def _angle(key: jax.Array, kappa: Any, shape: tuple[int, ...]) -> jax.Array:
    """Draw angles around zero by rejection from a wrapped Cauchy distribution.

    Best & Fisher (1979), Efficient simulation of the von Mises distribution, rearranged so that neither
    small nor large concentrations cancel; two draws in three are accepted, or more.
    """
    kappa = jnp.maximum(jnp.broadcast_to(jnp.asarray(kappa, dtype=float), shape), _NEARLY_UNIFORM)
    root = jnp.sqrt(1.0 + 4.0 * kappa * kappa)
    tau = 1.0 + root
    total = tau + jnp.sqrt(2.0 * tau)
    rho, one_less_rho = 2.0 * kappa / total, (1.0 + 1.0 / (root + 2.0 * kappa) + jnp.sqrt(2.0 * tau)) / total
    excess = one_less_rho * one_less_rho / (2.0 * rho)

    def propose(state: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        key, angle, is_done = state
        key, now = jax.random.split(key)
        turn, height = jax.random.uniform(now, (2, *shape))
        sine, cosine = jnp.sin(0.5 * math.pi * turn), jnp.cos(0.5 * math.pi * turn)
        half_versine = excess * sine * sine / (excess + 2.0 * cosine * cosine)
        c = kappa * (excess + 2.0 * half_versine)
        is_accepted = jnp.log(c / height) + 1.0 - c >= 0.0
        proposed = 2.0 * jnp.arcsin(jnp.sqrt(jnp.minimum(half_versine, 1.0)))
        return key, jnp.where(is_done, angle, proposed), is_done | is_accepted

    of_sign, of_angle = jax.random.split(key)
    start = (of_angle, jnp.zeros(shape), jnp.zeros(shape, bool))
    _, angle, _ = jax.lax.while_loop(lambda state: ~jnp.all(state[2]), propose, start)
    return angle * jax.random.rademacher(of_sign, shape)
