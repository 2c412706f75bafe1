"""Say where a distribution puts its probability: facts as records, without the mathematics of transforms.

``contains`` is written in operators only, so that it serves NumPy arrays when data is checked and JAX
arrays inside a program.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from exmc_actors.model.expression import Constant, Literal, as_expression

_INFINITY = float("inf")


@dataclass(frozen=True, eq=False)
class Support:
    """A set of numbers, applied entry by entry; or of arrays, applied to the last axes."""

    whole_line: ClassVar[bool] = False
    event_ndim: ClassVar[int] = 0
    """How many of the last axes belong to one element of the set."""

    def contains(self, x: Any) -> Any:
        """Return, for each entry, whether it lies inside."""
        raise NotImplementedError

    def inner_point(self) -> Any:
        """Return a point well inside, where every log density is finite.

        It stretches to the shape of any element; sets of arrays are never asked, and have none.
        """
        raise NotImplementedError

    @property
    def is_known(self) -> bool:
        """Whether the set can be told without sampling."""
        return True


@final
@dataclass(frozen=True, eq=False)
class Real(Support):
    """Every finite number."""

    whole_line: ClassVar[bool] = True

    def contains(self, x: Any) -> Any:
        """Return where entries are finite."""
        return abs(x) < _INFINITY

    def inner_point(self) -> Any:
        """Return zero."""
        return 0.0

    def __str__(self) -> str:
        return "finite"


@final
@dataclass(frozen=True, eq=False)
class Positive(Support):
    """Numbers above zero."""

    def contains(self, x: Any) -> Any:
        """Return where entries are positive and finite."""
        return (x > 0) & (x < _INFINITY)

    def inner_point(self) -> Any:
        """Return one."""
        return 1.0

    def __str__(self) -> str:
        return "positive"


@final
@dataclass(frozen=True, eq=False)
class NonNegative(Support):
    """Zero and the numbers above it."""

    def contains(self, x: Any) -> Any:
        """Return where entries are at least zero and finite."""
        return (x >= 0) & (x < _INFINITY)

    def inner_point(self) -> Any:
        """Return one."""
        return 1.0

    def __str__(self) -> str:
        return "zero or positive"


@final
@dataclass(frozen=True, eq=False)
class UnitInterval(Support):
    """Numbers strictly between zero and one."""

    def contains(self, x: Any) -> Any:
        """Return where entries are above zero and below one."""
        return (x > 0) & (x < 1)

    def inner_point(self) -> Any:
        """Return one half."""
        return 0.5

    def __str__(self) -> str:
        return "strictly between 0 and 1"


@final
@dataclass(frozen=True, eq=False)
class Interval(Support):
    """Numbers from ``low`` to ``high``, both included; the bounds may depend on variables."""

    low: Any
    high: Any

    def contains(self, x: Any) -> Any:
        """Return where entries are not outside the bounds."""
        return (x >= self.low) & (x <= self.high)

    def inner_point(self) -> Any:
        """Return the middle."""
        return 0.5 * (self.low + self.high)

    @property
    def is_known(self) -> bool:
        """Whether both bounds are numbers or arrays."""
        return _are_known(self.low, self.high)

    def __str__(self) -> str:
        return f"between {self.low!r} and {self.high!r}"


@final
@dataclass(frozen=True, eq=False)
class Integers(Support):
    """Whole numbers from ``low`` to ``high``, both included; the bounds may depend on variables."""

    low: Any = 0
    high: Any = _INFINITY

    def contains(self, x: Any) -> Any:
        """Return where entries are whole, finite and not outside the bounds."""
        with np.errstate(invalid="ignore"):  # NumPy warns of what is left of infinity
            return (x % 1 == 0) & (x >= self.low) & (x <= self.high)

    def inner_point(self) -> Any:
        """Return the lower bound."""
        return self.low

    @property
    def is_known(self) -> bool:
        """Whether both bounds are numbers or arrays."""
        return _are_known(self.low, self.high)

    def __str__(self) -> str:
        if _is_infinite(self.high):
            return f"a whole number, {self.low!r} or more"
        if isinstance(self.low, int) and isinstance(self.high, int) and self.high == self.low + 1:
            return f"{self.low} or {self.high}"
        return f"a whole number from {self.low!r} to {self.high!r}"


def _are_known(*bounds: Any) -> bool:
    return all(isinstance(as_expression(bound), Literal | Constant) for bound in bounds)


def _is_infinite(bound: Any) -> bool:
    value = bound.value if isinstance(bound, Literal) else bound
    return isinstance(value, float) and math.isinf(value)


@final
@dataclass(frozen=True, eq=False)
class AtLeast(Support):
    """Numbers from ``low`` up, itself included; the bound may depend on variables."""

    low: Any

    def contains(self, x: Any) -> Any:
        """Return where entries are finite and not below the bound."""
        return (x >= self.low) & (x < _INFINITY)

    def inner_point(self) -> Any:
        """Return a point above the bound."""
        return self.low + 1.0

    @property
    def is_known(self) -> bool:
        """Whether the bound is a number or an array."""
        return isinstance(as_expression(self.low), Literal | Constant)

    def __str__(self) -> str:
        return f"{self.low!r} or more"


@final
@dataclass(frozen=True, eq=False)
class AtMost(Support):
    """Numbers up to ``high``, itself included; the bound may depend on variables."""

    high: Any

    def contains(self, x: Any) -> Any:
        """Return where entries are finite and not above the bound."""
        return (x <= self.high) & (x > -_INFINITY)

    def inner_point(self) -> Any:
        """Return a point below the bound."""
        return self.high - 1.0

    @property
    def is_known(self) -> bool:
        """Whether the bound is a number or an array."""
        return isinstance(as_expression(self.high), Literal | Constant)

    def __str__(self) -> str:
        return f"{self.high!r} or less"


@final
@dataclass(frozen=True, eq=False)
class AnyNumber(Support):
    """Every number, infinities included: what a bound may be."""

    def contains(self, x: Any) -> Any:
        """Return where entries are numbers."""
        return x == x

    def inner_point(self) -> Any:
        """Return zero."""
        return 0.0

    def __str__(self) -> str:
        return "a number"
