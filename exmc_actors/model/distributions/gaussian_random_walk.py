"""The Gaussian random walk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, pi
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.shapes import Shape
from exmc_actors.model.supports import Positive, Real, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class GaussianRandomWalk(Distribution):
    """Vectors whose steps are independent normals of mean ``mu`` and standard deviation ``sigma``.

    The first entry is normal with mean ``init_mu`` and standard deviation ``init_sigma``, which is ``sigma``
    where it is not given.  The number of steps is that of the variable's last axis.
    """

    mu: Any = 0.0
    sigma: Any = 1.0
    init_mu: Any = 0.0
    init_sigma: Any = None
    parameter_supports: ClassVar[Mapping[str, Support]] = {"sigma": Positive(), "init_sigma": Positive()}

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
        """Return the log density."""
        sigma, drift = _column(self.sigma), _column(self.mu)
        first_sigma = sigma if self.init_sigma is None else _column(self.init_sigma)
        start = (x[..., :1] - _column(self.init_mu)) / first_sigma
        steps = (x[..., 1:] - x[..., :-1] - drift) / sigma
        squares = jnp.sum(start * start, axis=-1) + jnp.sum(steps * steps, axis=-1)
        log_first, log_each = (jnp.sum(jnp.log(each), axis=-1) for each in (first_sigma, sigma))
        scales = start.shape[-1] * log_first + steps.shape[-1] * log_each
        return -0.5 * squares - scales - 0.5 * log(2.0 * pi) * x.shape[-1]

    def log_normaliser(self) -> Any:
        """Return zero: the number of steps is the value's, so everything is in the kernel."""
        return 0.0

    def mean(self) -> Any:
        """Return the mean of the first entry; each later one is ``mu`` more."""
        return self.init_mu

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent walks."""
        sigma = _column(self.sigma)
        noise = jax.random.normal(key, shape)
        first_sigma = sigma if self.init_sigma is None else _column(self.init_sigma)
        start = _column(self.init_mu) + first_sigma * noise[..., :1]
        steps = _column(self.mu) + sigma * noise[..., 1:]
        return jnp.cumsum(jnp.concatenate([start, steps], axis=-1), axis=-1)


def _column(value: Any) -> Any:
    return jnp.asarray(value, dtype=float)[..., None]
