"""Say how values are distributed that are made of others by one affine step; only a pass writes these.

They have no place in a model's bytes: what travels is the model as it was declared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model import Distribution, Real, Shape, Support
from exmc_actors.model.elimination import inverse_and_log_det
from exmc_actors.model.shapes import broadcast


@final
@dataclass(frozen=True, eq=False)
class Reached(Support):
    """Where a step leads from another support; told by going back."""

    start: Support

    @property
    def is_known(self) -> bool:
        """Whether it can be told beforehand: what could be has been checked with the observation."""
        return False

    def __str__(self) -> str:
        return f"reached from what is {self.start}"


@dataclass(frozen=True, eq=False, repr=False)
class Image(Distribution):
    """What one step makes of the values of another distribution."""

    distribution: Any
    part_field: ClassVar[str | None] = "distribution"

    @property
    def _part(self) -> Distribution:
        return self.parts[0]

    def forth(self, x: Any) -> Any:
        """Return what the step makes of ``x``."""
        raise NotImplementedError

    def back(self, y: Any) -> Any:
        """Return what the step makes ``y`` of."""
        raise NotImplementedError

    @property
    def event_is_free(self) -> bool:
        """Say yes."""
        return True

    @property
    def event_ndim(self) -> int:
        """As in the other distribution."""
        return self._part.event_ndim

    def value_shape(self, shapes: Mapping[str, Shape], parts: Sequence[Shape]) -> Shape:
        """Return the shape of the parameters and the values together."""
        return broadcast(*shapes.values(), parts[0])

    @property
    def support(self) -> Support:
        """Every number where the other distribution has them all."""
        start = self._part.support
        return Real() if start.whole_line else Reached(start)

    def split(self, x: Any) -> tuple[Any, Any]:
        """Return which events lie inside, and ``x`` as it is: the log kernel looks after the others."""
        return self._part.split(self.back(x))[0], x

    def log_kernel(self, x: Any) -> Any:
        """Return that of the other distribution, where its value has been moved inside."""
        return self._part.log_kernel(self._part.split(self.back(x))[1])

    def log_normaliser(self) -> Any:
        """Return that of the other distribution."""
        return self._part.possible_normaliser()

    def mean(self) -> Any:
        """Return what the step makes of the mean."""
        return self.forth(self._part.mean())

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw from the other distribution, and take the step."""
        return jnp.asarray(self.forth(self._part.sample(key, shape)))


@final
@dataclass(frozen=True, eq=False, repr=False)
class Shifted(Image):
    """Values with ``loc`` added."""

    loc: Any

    def forth(self, x: Any) -> Any:
        """Add."""
        return x + self.loc

    def back(self, y: Any) -> Any:
        """Subtract."""
        return y - self.loc


@final
@dataclass(frozen=True, eq=False, repr=False)
class Scaled(Image):
    """Values times ``scale``."""

    scale: Any

    def forth(self, x: Any) -> Any:
        """Multiply."""
        return x * self.scale

    def back(self, y: Any) -> Any:
        """Divide."""
        return y / self.scale

    def log_kernel(self, x: Any) -> Any:
        """Return that of the other distribution, less the scales of each event's entries."""
        kernel, axes = super().log_kernel(x), self.event_ndim
        if not axes:
            return kernel
        return kernel - jnp.sum(jnp.broadcast_to(self._log_size, x.shape), axis=tuple(range(-axes, 0)))

    def log_normaliser(self) -> Any:
        """Return that of the other distribution, and the scale of each event of one entry."""
        return super().log_normaliser() + (0.0 if self.event_ndim else self._log_size)

    @property
    def _log_size(self) -> Any:
        return jnp.log(jnp.abs(self.scale))


@final
@dataclass(frozen=True, eq=False, repr=False)
class Multiplied(Image):
    """Vectors that ``matrix`` is multiplied by; its inverse and log determinant where they are known."""

    matrix: Any
    inverse: Any = None
    log_det: Any = None

    @property
    def event_ndim(self) -> int:
        """One: a vector, whose entries have been mixed."""
        return 1

    def value_shape(self, shapes: Mapping[str, Shape], parts: Sequence[Shape]) -> Shape:
        """Return the shape of the values, which the matrix keeps."""
        return broadcast(shapes["matrix"][:1], parts[0])

    @cached_property
    def _solver(self) -> tuple[Any, Any]:
        if self.inverse is not None:
            return self.inverse, self.log_det
        return inverse_and_log_det(self.matrix)

    def forth(self, x: Any) -> Any:
        """Multiply."""
        return self.matrix @ x

    def back(self, y: Any) -> Any:
        """Solve."""
        return self._solver[0] @ y

    def split(self, x: Any) -> tuple[Any, Any]:
        """Return whether all that the vector is made of lies inside, and ``x`` as it is."""
        inside = super().split(x)[0]
        return None if inside is None else jnp.all(inside), x

    def log_kernel(self, x: Any) -> Any:
        """Return the log density of what the vector is made of."""
        return jnp.sum(super().log_kernel(x) - self._part.possible_normaliser())

    def log_normaliser(self) -> Any:
        """Return the logarithm of the size of the determinant."""
        return self._solver[1]

    def mean(self) -> Any:
        """Return what the matrix makes of the mean."""
        return self.forth(jnp.broadcast_to(self._part.mean(), self.matrix.shape[:1]))
