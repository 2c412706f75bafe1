"""Mixtures of distributions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.errors import ModelError
from exmc_actors.model.array_supports import Probabilities
from exmc_actors.model.distributions.distribution import Distribution, all_parts
from exmc_actors.model.reductions import logsumexp
from exmc_actors.model.shapes import Shape, broadcast
from exmc_actors.model.support_algebra import union
from exmc_actors.model.supports import AtLeast, Interval, Support, UnitInterval


@final
@dataclass(frozen=True, eq=False, repr=False)
class Mixture(Distribution):
    """Events of one of several distributions, picked with probabilities ``w`` along the last axis.

    Which one it was is summed out: a mixture has a gradient where a variable for the choice has none.
    Events are those of the components, numbers or vectors alike; each event has its own choice.
    """

    w: Any
    components: Any
    parameter_supports: ClassVar[Mapping[str, Support]] = {"w": Probabilities()}
    watched_parameters: ClassVar[tuple[str, ...]] = ("w",)
    parameter_ndims: ClassVar[Mapping[str, int]] = {"w": 1}
    part_field: ClassVar[str | None] = "components"
    has_many_parts: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse components that are none, or of different kinds."""
        given = self.components
        if not isinstance(given, list | tuple) or not all(isinstance(one, Distribution) for one in given):
            raise ModelError(
                f"Mixture: components must be a list of distributions, got {given!r}: "
                "write Mixture(w, [Normal(0.0, 1.0), Normal(5.0, 1.0)]), say."
            )
        object.__setattr__(self, "components", tuple(given))
        if len({one.event_ndim for one in given}) != 1:
            raise ModelError(
                "Mixture: its components must all have numbers, all vectors or all matrices for events, "
                f"got {given!r}."
            )
        if len({any(part.is_discrete for part in all_parts(one)) for one in given}) != 1:
            raise ModelError(
                f"Mixture: its components must all be continuous or all discrete, got {given!r}: "
                "densities and probabilities cannot be added."
            )
        super().__post_init__()

    @property
    def event_ndim(self) -> int:
        """That of the components."""
        return self.parts[0].event_ndim

    @property
    def event_is_free(self) -> bool:
        """Whether those of all components may have any number of entries."""
        return all(part.event_is_free for part in self.parts)

    def value_shape(self, shapes: Mapping[str, Shape], parts: Sequence[Shape]) -> Shape:
        """Return the shapes of the components' values together, stretched to the weights."""
        if shapes["w"][-1:] != (len(parts),):
            raise ModelError(
                f"Mixture's w has shape {shapes['w']} for {len(parts)} components: "
                f"its last axis must have {len(parts)} entries."
            )
        events = (1,) * self.event_ndim
        return broadcast((*shapes["w"][:-1], *events), *parts)

    @property
    def support(self) -> Support:
        """Wherever one of the components can be."""
        return union([part.support for part in self.parts])

    def log_kernel(self, x: Any) -> Any:
        """Return the log density."""
        return self._mixed([part.log_prob(x) for part in self.parts])

    def log_kernel_on_line(self, z: Any) -> Any | None:
        """Return the log density, where a component knows its own on the line."""
        kernels = [_kernel_on_line(part, z) for part in self.parts]
        if all(kernel is None for kernel in kernels):
            return None
        # All of them lie on one set, or no transform would have led there.
        x = _point_on_line(self.parts[0].support, z)
        return self._mixed(
            [
                part.log_prob(x) if kernel is None else kernel - part.possible_normaliser()
                for part, kernel in zip(self.parts, kernels, strict=True)
            ]
        )

    def _mixed(self, log_densities: Sequence[Any]) -> Any:
        weights = jnp.asarray(self.w, dtype=float)
        terms = [_log_weight(weights[..., k]) + one for k, one in enumerate(log_densities)]
        return logsumexp(jnp.stack(jnp.broadcast_arrays(*terms)), axis=0)

    def log_normaliser(self) -> Any:
        """Return zero: it is the components' that are mixed."""
        return 0.0

    def mean(self) -> Any:
        """Return the mean."""
        events = (1,) * self.event_ndim
        weights = jnp.asarray(self.w, dtype=float)
        means = [jnp.asarray(part.mean()) for part in self.parts]
        return sum(weights[..., k].reshape(*weights.shape[:-1], *events) * m for k, m in enumerate(means))

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent events: one of every component, of which one is kept."""
        choosing, *keys = jax.random.split(key, 1 + len(self.parts))
        batch = shape[: len(shape) - self.event_ndim]
        choice = jax.random.categorical(choosing, jnp.log(jnp.asarray(self.w, dtype=float)), shape=batch)
        chosen = choice.reshape(*batch, *(1,) * self.event_ndim)
        drawn = [part.sample(each, shape) for part, each in zip(self.parts, keys, strict=True)]
        return jnp.asarray(sum(jnp.where(chosen == k, x, jnp.zeros_like(x)) for k, x in enumerate(drawn)))


def _log_weight(weight: Any) -> Any:
    # A weight of zero has no logarithm, and its gradient none either.
    return jnp.where(weight > 0.0, jnp.log(jnp.where(weight > 0.0, weight, 1.0)), -jnp.inf)


def _kernel_on_line(part: Distribution, z: Any) -> Any | None:
    """Return the kernel, with slopes of zero where it is -inf: there another component may have a density."""
    kernel = part.log_kernel_on_line(z)
    if kernel is None or part.event_ndim:
        return kernel
    # A mask on the result alone would leave NaN in the gradient.
    is_possible = jax.lax.stop_gradient(kernel) != -jnp.inf
    safe: Any = part.log_kernel_on_line(jnp.where(is_possible, z, 0.0))
    return jnp.where(is_possible, safe, -jnp.inf)


def _point_on_line(support: Support, z: Any) -> Any:
    match support:
        case UnitInterval():
            return jax.nn.sigmoid(z)
        case Interval():
            return support.low + (support.high - support.low) * jax.nn.sigmoid(z)
        case AtLeast():
            return support.low + jnp.exp(z)
    return jnp.exp(z)
