"""The autoregressive process of order one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, pi
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp
from jax import lax

from exmc_actors.errors import ModelError
from exmc_actors.model.distributions.distribution import Distribution, known_value
from exmc_actors.model.shapes import Shape
from exmc_actors.model.supports import Positive, Real, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class AR1(Distribution):
    """Vectors with ``x[t] - mu = rho (x[t - 1] - mu) + sigma e[t]``, ``e`` independent standard normals.

    The first entry is normal around ``mu`` with standard deviation ``init_sigma``; where that is not given
    it is the stationary one, ``sigma / sqrt(1 - rho ** 2)``, which needs ``rho`` between -1 and 1.  The
    number of entries is that of the variable's last axis.
    """

    rho: Any
    sigma: Any = 1.0
    mu: Any = 0.0
    init_sigma: Any = None
    parameter_supports: ClassVar[Mapping[str, Support]] = {"sigma": Positive(), "init_sigma": Positive()}

    def __post_init__(self) -> None:
        """Refuse a known process without a stationary distribution to start from."""
        super().__post_init__()
        rho = known_value(self.rho)
        if self.init_sigma is None and rho is not None and not (abs(rho) < 1).all():
            raise ModelError(
                f"AR1: rho must be between -1 and 1 for a stationary start, got {self.rho!r}: "
                "give init_sigma, the standard deviation of the first entry, for other values."
            )

    @property
    def event_is_free(self) -> bool:
        """Say yes."""
        return True

    @property
    def event_ndim(self) -> int:
        """One: a vector."""
        return 1

    def value_shape(self, shapes: Mapping[str, Shape], parts: Sequence[Shape]) -> Shape:
        """Return the shape of the parameters with one entry along the last axis."""
        return (*self.batch_shape(shapes), 1)

    @property
    def support(self) -> Support:
        """Every vector."""
        return Real()

    def log_kernel(self, x: Any) -> Any:
        """Return the log density; -inf for a stationary start where ``rho`` has none."""
        rho, sigma, first_sigma, inside = self._columns()
        away = x - _column(self.mu)
        start = away[..., :1] / first_sigma
        steps = (away[..., 1:] - rho * away[..., :-1]) / sigma
        squares = jnp.sum(start * start, axis=-1) + jnp.sum(steps * steps, axis=-1)
        log_first, log_each = (jnp.sum(jnp.log(each), axis=-1) for each in (first_sigma, sigma))
        scales = start.shape[-1] * log_first + steps.shape[-1] * log_each
        value = -0.5 * squares - scales - 0.5 * log(2.0 * pi) * x.shape[-1]
        return jnp.where(jnp.all(inside, axis=-1), value, -jnp.inf)

    def log_normaliser(self) -> Any:
        """Return zero: the number of entries is the value's, so everything is in the kernel."""
        return 0.0

    def mean(self) -> Any:
        """Return the mean of every entry."""
        return self.mu

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent processes."""
        rho, sigma, first_sigma, _ = self._columns()
        noise = jax.random.normal(key, shape)
        scaled = jnp.concatenate([first_sigma * noise[..., :1], sigma * noise[..., 1:]], axis=-1)

        def step(last: jax.Array, shock: jax.Array) -> tuple[jax.Array, jax.Array]:
            now = jnp.broadcast_to(rho[..., 0] * last + shock, last.shape)
            return now, now

        away = lax.scan(step, jnp.zeros(shape[:-1], scaled.dtype), jnp.moveaxis(scaled, -1, 0))[1]
        return jnp.asarray(_column(self.mu) + jnp.moveaxis(away, 0, -1))

    def _columns(self) -> tuple[Any, Any, Any, Any]:
        """Return ``rho``, both scales, and whether there are such scales; impossible ones are replaced."""
        rho, sigma = _column(self.rho), _column(self.sigma)
        if self.init_sigma is not None:
            return rho, sigma, _column(self.init_sigma), jnp.ones_like(rho, dtype=bool)
        left = (1.0 - rho) * (1.0 + rho)
        inside = left > 0.0
        return rho, sigma, sigma / jnp.sqrt(jnp.where(inside, left, 1.0)), inside


def _column(value: Any) -> Any:
    return jnp.asarray(value, dtype=float)[..., None]
