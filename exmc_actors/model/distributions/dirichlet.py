"""The Dirichlet distribution."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.array_supports import Simplex
from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.shapes import Shape
from exmc_actors.model.supports import Positive, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class Dirichlet(Distribution):
    """The Dirichlet distribution of probabilities, with mean ``alpha / sum(alpha)`` along the last axis."""

    alpha: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"alpha": Positive()}
    watched_parameters: ClassVar[tuple[str, ...]] = ("alpha",)
    parameter_ndims: ClassVar[Mapping[str, int]] = {"alpha": 1}

    @property
    def event_ndim(self) -> int:
        """One: a vector."""
        return 1

    def value_shape(self, shapes: Mapping[str, Shape], parts: Sequence[Shape]) -> Shape:
        """Return the shape of ``alpha``."""
        return (*self.batch_shape(shapes), shapes["alpha"][-1])

    @property
    def support(self) -> Support:
        """Positive numbers that add up to one."""
        return Simplex()

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        return self.log_kernel_on_line(jnp.log(x))

    def log_kernel_on_line(self, z: Any) -> Any:
        """Return the log kernel at the point whose logarithms are ``z``."""
        return jnp.sum((self.alpha - 1.0) * z, axis=-1)

    def log_normaliser(self) -> Any:
        """Return the logarithm of the multivariate beta function."""
        alpha = jnp.asarray(self.alpha, dtype=float)
        return jnp.sum(jax.lax.lgamma(alpha), axis=-1) - jax.lax.lgamma(jnp.sum(alpha, axis=-1))

    def mean(self) -> Any:
        """Return the mean."""
        return self.alpha / jnp.sum(self.alpha, axis=-1, keepdims=True)

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent vectors."""
        return jax.random.dirichlet(key, self.alpha, shape[:-1])
