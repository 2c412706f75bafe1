"""Name the ways in which a variable is moved to the whole line; the bijectors are the compiler's."""

from dataclasses import dataclass, fields
from typing import Any, ClassVar, final

from exmc_actors.model.supports import Interval, NonNegative, Positive, Real, Support, UnitInterval


@dataclass(frozen=True, eq=False)
class Transform:
    """How a variable is written as a function of an unconstrained number, entry by entry."""

    onto: ClassVar[tuple[type[Support], ...]] = ()
    """The supports that the whole line is carried onto."""

    @property
    def parameters(self) -> dict[str, Any]:
        """The fields, by name, in order."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@final
@dataclass(frozen=True, eq=False)
class Identity(Transform):
    """x = z."""

    onto: ClassVar = (Real,)


@final
@dataclass(frozen=True, eq=False)
class Log(Transform):
    """log x = z."""

    onto: ClassVar = (Positive, NonNegative)


@final
@dataclass(frozen=True, eq=False)
class Logit(Transform):
    """log(x / (1 - x)) = z."""

    onto: ClassVar = (UnitInterval,)


@final
@dataclass(frozen=True, eq=False)
class ScaledLogit(Transform):
    """log((x - low) / (high - x)) = z."""

    low: Any
    high: Any
    onto: ClassVar = (Interval,)


@final
@dataclass(frozen=True, eq=False)
class Affine(Transform):
    """(x - loc) / scale = z: the non-centred form of a location-scale variable."""

    loc: Any
    scale: Any
    onto: ClassVar = (Real,)


TRANSFORMS: dict[str, type[Transform]] = {
    transform.__name__: transform for transform in (Identity, Log, Logit, ScaledLogit, Affine)
}
