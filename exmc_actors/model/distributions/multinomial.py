"""The multinomial distribution."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.array_supports import Counts, Probabilities
from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.functions import times_log
from exmc_actors.model.shapes import Shape
from exmc_actors.model.supports import Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class Multinomial(Distribution):
    """How often each outcome came up in ``n`` trials, with probabilities ``p`` along the last axis."""

    n: Any
    p: Any
    is_discrete: ClassVar[bool] = True
    parameter_supports: ClassVar[Mapping[str, Support]] = {"p": Probabilities()}
    watched_parameters: ClassVar[tuple[str, ...]] = ("p",)
    parameter_ndims: ClassVar[Mapping[str, int]] = {"p": 1}

    @property
    def event_ndim(self) -> int:
        """One: a vector."""
        return 1

    def value_shape(self, shapes: Mapping[str, Shape], parts: Sequence[Shape]) -> Shape:
        """Return the shape of the probabilities, stretched to the numbers of trials."""
        return (*self.batch_shape(shapes), shapes["p"][-1])

    @property
    def support(self) -> Support:
        """Counts that add up to the number of trials."""
        return Counts(self.n)

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        return jnp.sum(times_log(x, self.p) - jax.lax.lgamma(x + 1.0), axis=-1)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the number of trials only."""
        return -jax.lax.lgamma(jnp.asarray(self.n, dtype=float) + 1.0)

    def mean(self) -> Any:
        """Return the mean."""
        return jnp.asarray(self.n)[..., None] * self.p

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent vectors, count by count: each is binomial given those before it."""
        left = jnp.broadcast_to(jnp.asarray(self.n, dtype=float), shape[:-1])
        p = jnp.broadcast_to(jnp.asarray(self.p, dtype=float), shape)
        p_left = jnp.cumsum(p[..., ::-1], axis=-1)[..., ::-1]
        counts = []
        for k, each in enumerate(jax.random.split(key, shape[-1])[:-1]):
            share = jnp.clip(p[..., k] / jnp.where(p_left[..., k] > 0.0, p_left[..., k], 1.0), 0.0, 1.0)
            counts.append(jax.random.binomial(each, left, share))
            left = left - counts[-1]
        return jnp.stack([*counts, left], axis=-1)
