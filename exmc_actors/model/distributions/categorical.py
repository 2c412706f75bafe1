"""The categorical distribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.array_supports import Probabilities
from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.functions import at_position
from exmc_actors.model.shapes import Shape
from exmc_actors.model.supports import Integers, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class Categorical(Distribution):
    """One of the numbers 0, 1, ..., with the probabilities ``p`` along the last axis."""

    p: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"p": Probabilities()}
    watched_parameters: ClassVar[tuple[str, ...]] = ("p",)
    parameter_ndims: ClassVar[Mapping[str, int]] = {"p": 1}
    is_discrete: ClassVar[bool] = True

    @property
    def support(self) -> Support:
        """Zero and the whole numbers above it; those beyond the last have probability zero."""
        return Integers(0)

    def support_of_shapes(self, shapes: Mapping[str, Shape]) -> Support:
        """From zero to the last position in ``p``."""
        return Integers(0, shapes["p"][-1] - 1)

    def log_kernel(self, x: Any) -> Any:
        """Return the log probability."""
        # Chosen before the logarithm: a category that cannot be does no harm to the others' gradients.
        return jnp.log(at_position(jnp.asarray(self.p, dtype=float), x))

    def log_normaliser(self) -> Any:
        """Return zero."""
        return 0.0

    def mean(self) -> Any:
        """Return the mean of the numbers."""
        p = jnp.asarray(self.p, dtype=float)
        return jnp.sum(jnp.arange(p.shape[-1]) * p, axis=-1)

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        return jax.random.categorical(key, jnp.log(jnp.asarray(self.p, dtype=float)), shape=shape)
