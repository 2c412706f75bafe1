"""The ordered logistic distribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.array_supports import Increasing
from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.functions import at_position, log1mexp, softplus
from exmc_actors.model.shapes import Shape
from exmc_actors.model.supports import Integers, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class OrderedLogistic(Distribution):
    """How many of the ``cutpoints``, along their last axis, lie below a logistic variable around ``eta``.

    With cutpoints c, the probability of k is sigmoid(c[k] - eta) - sigmoid(c[k - 1] - eta), computed as

        sigmoid(c[k] - eta) sigmoid(eta - c[k - 1]) (1 - exp(c[k - 1] - c[k])).
    """

    eta: Any
    cutpoints: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"cutpoints": Increasing()}
    parameter_ndims: ClassVar[Mapping[str, int]] = {"cutpoints": 1}
    is_discrete: ClassVar[bool] = True

    @property
    def support(self) -> Support:
        """Zero and the whole numbers above it; those beyond the last have probability zero."""
        return Integers(0)

    def support_of_shapes(self, shapes: Mapping[str, Shape]) -> Support:
        """From zero to the number of cutpoints."""
        return Integers(0, shapes["cutpoints"][-1])

    def log_kernel(self, x: Any) -> Any:
        """Return the log probability."""
        cutpoints = jnp.asarray(self.cutpoints, dtype=float)
        last, category = cutpoints.shape[-1], jnp.asarray(x)
        below = -softplus(self.eta - at_position(cutpoints, category))
        above = -softplus(at_position(cutpoints, category - 1) - self.eta)
        apart = jnp.diff(cutpoints, axis=-1)
        is_apart = apart > 0.0
        log_share = jnp.where(is_apart, log1mexp(jnp.where(is_apart, apart, 1.0)), -jnp.inf)
        ends = jnp.where(category < last, below, 0.0) + jnp.where(category > 0, above, 0.0)
        # Two cutpoints may meet, rounded; what lies between them is impossible then, and the rest is not.
        is_possible = (category <= last) & (apart >= 0.0).all(-1)
        return jnp.where(is_possible, ends + at_position(log_share, category - 1), -jnp.inf)

    def log_normaliser(self) -> Any:
        """Return zero."""
        return 0.0

    def mean(self) -> Any:
        """Return the mean of the numbers."""
        return jnp.sum(1.0 - self._at_most(), axis=-1)

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        u = jax.random.uniform(key, shape, dtype=float)
        return jnp.sum(u[..., None] > self._at_most(), axis=-1)

    def _at_most(self) -> Any:
        """Return the probability of each number or a smaller one, but for the last, along the last axis."""
        return jax.nn.sigmoid(self.cutpoints - jnp.asarray(self.eta, dtype=float)[..., None])
