"""Combine supports: the union of several, and what of one lies between bounds."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, final

from exmc_actors.model.expression import Literal, Reference
from exmc_actors.model.supports import (
    AtLeast,
    AtMost,
    Integers,
    Interval,
    NonNegative,
    Positive,
    Real,
    Support,
    UnitInterval,
)


def union(supports: Sequence[Support]) -> Support:
    """Return what lies in one of several sets, numbers all or arrays all, as simply as it can be said."""
    whole = [support for support in supports if support.whole_line]
    kinds = {type(support) for support in supports}
    if whole or (len(kinds) == 1 and all(_has_ends_of(supports[0], other) for other in supports[1:])):
        return (whole or supports)[0]
    return NonNegative() if kinds <= {Positive, NonNegative} else Union(tuple(supports))


def _has_ends_of(one: Support, other: Support) -> bool:
    """Say whether two sets of one kind are known to be the same."""
    return all(_is_same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, Reference) and isinstance(other, Reference):
        return one.name == other.name
    one, other = (end.value if isinstance(end, Literal) else end for end in (one, other))
    return one is other or (isinstance(one, int | float) and isinstance(other, int | float) and one == other)


@final
@dataclass(frozen=True, eq=False)
class Union(Support):
    """What lies in one of several sets of numbers."""

    members: tuple[Support, ...]

    def contains(self, x: Any) -> Any:
        """Return where entries lie in one of the sets."""
        inside = self.members[0].contains(x)
        for member in self.members[1:]:
            inside = inside | member.contains(x)
        return inside

    def inner_point(self) -> Any:
        """Return a point well inside the first."""
        return self.members[0].inner_point()

    @property
    def is_known(self) -> bool:
        """Whether all of them are."""
        return all(member.is_known for member in self.members)

    def __str__(self) -> str:
        return " or ".join(dict.fromkeys(map(str, self.members)))


def within(support: Support, lower: Any, upper: Any) -> Support:
    """Return what of a set of numbers lies from ``lower`` to ``upper``, where None is no bound.

    The set must be an interval, and the bounds must lie inside it.
    """
    low, high = ends(support)
    if isinstance(support, Integers):
        return Integers(low if lower is None else lower, high if upper is None else upper)
    low, high = (low if lower is None else lower), (high if upper is None else upper)
    if low is None:
        return Real() if high is None else AtMost(high)
    return AtLeast(low) if high is None else Interval(low, high)


def ends(support: Support) -> tuple[Any, Any]:
    """Return where an interval begins and ends, None for nowhere."""
    match support:
        case Real():
            return None, None
        case Positive() | NonNegative():
            return 0.0, None
        case UnitInterval():
            return 0.0, 1.0
        case Interval() | Integers():
            return support.low, support.high
        case AtLeast():
            return support.low, None
        case AtMost():
            return None, support.high
    raise AssertionError(f"no distribution with known tails lies on {support}")
