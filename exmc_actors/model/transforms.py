"""Name the ways in which a variable is moved to the whole line; the bijectors are the compiler's."""

import dataclasses as _dataclasses
import typing as _typing

from exmc_actors.errors import ModelError as _ModelError
from exmc_actors.model import array_supports as _array_supports
from exmc_actors.model import supports as _supports
from exmc_actors.model.shapes import Shape as _Shape

__all__ = [
    "Affine",
    "CorrelationCholesky",
    "Identity",
    "Log",
    "Logit",
    "LowerBounded",
    "Ordered",
    "ScaledLogit",
    "Softplus",
    "StickBreaking",
    "Transform",
    "UnitVector",
    "UpperBounded",
    "ZeroSum",
]


@_dataclasses.dataclass(frozen=True, eq=False)
class Transform:
    """How a variable is written as a function of unconstrained numbers, entry by entry or event by event."""

    onto: _typing.ClassVar[tuple[type[_supports.Support], ...]] = ()
    """The supports that the whole line is carried onto."""
    constrains: _typing.ClassVar[str] = ""
    """What each value must be, where it says what the distribution says of none of them by itself."""

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


@_typing.final
@_dataclasses.dataclass(frozen=True, eq=False)
class Softplus(Transform):
    """log(exp(x) - 1) = z: nearly x itself where x is large."""

    onto: _typing.ClassVar = (_supports.Positive, _supports.NonNegative)


@_typing.final
@_dataclasses.dataclass(frozen=True, eq=False)
class LowerBounded(Transform):
    """log(x - low) = z."""

    low: _typing.Any
    onto: _typing.ClassVar = (_supports.AtLeast,)


@_typing.final
@_dataclasses.dataclass(frozen=True, eq=False)
class UpperBounded(Transform):
    """log(high - x) = z."""

    high: _typing.Any
    onto: _typing.ClassVar = (_supports.AtMost,)


@_typing.final
@_dataclasses.dataclass(frozen=True, eq=False)
class Ordered(Transform):
    """The first entry of a vector, then the logarithm of each step up to the next."""

    onto: _typing.ClassVar = (_supports.Real, _array_supports.Increasing)
    constrains: _typing.ClassVar[str] = "finite and above the entry before it"

    def unconstrained_shape(self, shape: _Shape) -> _Shape:
        """Return the same shape."""
        return _with_last(self, shape, 0, at_least=1)


@_typing.final
@_dataclasses.dataclass(frozen=True, eq=False)
class StickBreaking(Transform):
    """The log odds of the piece that each entry takes of what the entries before it have left.

    Shifted so that zero is the vector of equal entries (Stan Reference Manual, "Unit simplex").
    """

    onto: _typing.ClassVar = (_array_supports.Simplex,)

    def unconstrained_shape(self, shape: _Shape) -> _Shape:
        """Return the shape with one entry less along the last axis."""
        return _with_last(self, shape, -1, at_least=1)


@_typing.final
@_dataclasses.dataclass(frozen=True, eq=False)
class UnitVector(Transform):
    """Vectors of length one, as directions of vectors of any length.

    A point has many unconstrained values; the standard normal density picks among them, so that the
    direction is uniform (Stan Reference Manual, "Unit vector").
    """

    onto: _typing.ClassVar = (_supports.Real,)
    constrains: _typing.ClassVar[str] = "an entry of a vector of length 1"

    def unconstrained_shape(self, shape: _Shape) -> _Shape:
        """Return the same shape."""
        return _with_last(self, shape, 0, at_least=1)


@_typing.final
@_dataclasses.dataclass(frozen=True, eq=False)
class ZeroSum(Transform):
    """Vectors that add up to zero, by an orthonormal basis of their plane: volumes stay as they are.

    A Normal prior is conditioned on the sum, so that n entries of one scale count as n - 1 numbers.  The
    density of any other prior is that of n numbers, taken on the plane and not normalised there: if its
    parameters are sampled, their own priors are not what they were declared to be.
    """

    onto: _typing.ClassVar = (_supports.Real,)
    constrains: _typing.ClassVar[str] = "numbers that add up to 0"

    def unconstrained_shape(self, shape: _Shape) -> _Shape:
        """Return the shape with one entry less along the last axis."""
        return _with_last(self, shape, -1, at_least=2)


@_typing.final
@_dataclasses.dataclass(frozen=True, eq=False)
class CorrelationCholesky(Transform):
    """The Cholesky factor of a correlation matrix by its partial correlations, as hyperbolic tangents.

    Lewandowski, Kurowicka & Joe (2009), Generating random correlation matrices based on vines.
    """

    onto: _typing.ClassVar = (_array_supports.CorrelationFactor,)

    def unconstrained_shape(self, shape: _Shape) -> _Shape:
        """Return the shape with one axis for the entries below the diagonal, row by row."""
        if len(shape) < 2 or shape[-1] != shape[-2]:
            raise _ModelError(
                f"{type(self).__name__} is for square matrices, got shape {shape}: "
                "declare the variable with shape=(n, n)."
            )
        return (*shape[:-2], shape[-1] * (shape[-1] - 1) // 2)


def _with_last(transform: Transform, shape: _Shape, more: int, *, at_least: int) -> _Shape:
    if not shape or shape[-1] < at_least:
        raise _ModelError(
            f"{type(transform).__name__} is for vectors of {at_least} or more entries, got shape {shape}: "
            "declare the variable with shape= or dims=."
        )
    return (*shape[:-1], shape[-1] + more)
