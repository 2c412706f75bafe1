"""Name the ways in which a variable is moved to the whole line; the bijectors are the compiler's."""

import dataclasses as _dataclasses
import typing as _typing

from exmc_actors.model import supports as _supports
from exmc_actors.model.shapes import Shape as _Shape

__all__ = ["Affine", "Identity", "Log", "Logit", "ScaledLogit", "Transform"]


@_dataclasses.dataclass(frozen=True, eq=False)
class Transform:
    """How a variable is written as a function of unconstrained numbers, entry by entry or event by event."""

    onto: _typing.ClassVar[tuple[type[_supports.Support], ...]] = ()
    """The supports that the whole line is carried onto."""

    @property
    def parameters(self) -> dict[str, _typing.Any]:
        """The fields, by name, in order."""
        return {field.name: getattr(self, field.name) for field in _dataclasses.fields(self)}

    def with_parameters(self, change: _typing.Callable[[_typing.Any], _typing.Any]) -> _typing.Self:
        """Return the same transform with every parameter changed."""
        return _dataclasses.replace(self, **{name: change(old) for name, old in self.parameters.items()})

    def unconstrained_shape(self, shape: _Shape) -> _Shape:
        """Return the shape of the unconstrained value of a variable of the given shape.

        Raises:
          ModelError: if no variable of that shape can be had.
        """
        return shape


@_typing.final
@_dataclasses.dataclass(frozen=True, eq=False)
class Identity(Transform):
    """x = z."""

    onto: _typing.ClassVar = (_supports.Real,)


@_typing.final
@_dataclasses.dataclass(frozen=True, eq=False)
class Log(Transform):
    """log x = z."""

    onto: _typing.ClassVar = (_supports.Positive, _supports.NonNegative)


@_typing.final
@_dataclasses.dataclass(frozen=True, eq=False)
class Logit(Transform):
    """log(x / (1 - x)) = z."""

    onto: _typing.ClassVar = (_supports.UnitInterval,)


@_typing.final
@_dataclasses.dataclass(frozen=True, eq=False)
class ScaledLogit(Transform):
    """log((x - low) / (high - x)) = z."""

    low: _typing.Any
    high: _typing.Any
    onto: _typing.ClassVar = (_supports.Interval,)


@_typing.final
@_dataclasses.dataclass(frozen=True, eq=False)
class Affine(Transform):
    """(x - loc) / scale = z: the non-centred form of a location-scale variable."""

    loc: _typing.Any
    scale: _typing.Any
    onto: _typing.ClassVar = (_supports.Real,)
