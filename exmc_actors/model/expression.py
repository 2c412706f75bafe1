"""Say what is computed from what, as data: frozen nodes without closures, values or shapes.

An expression is a graph, not a tree: a node used twice is one node, and what walks expressions visits it
once.  Evaluating them is the compiler's work; what may be built from what is checked on declaration.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

import numpy as np

from exmc_actors.errors import ModelError
from exmc_actors.model.arrays import check_not_nan, frozen_array

IndexPart: TypeAlias = Any
"""An integer, a slice, ``None``, ``...``, or an expression that holds an array of integers."""

_EXACT_INTEGERS = 2**53


_OPERATION_OF = {
    name: name
    for name in (
        *("add", "subtract", "multiply", "divide", "power", "matmul", "negative", "maximum", "minimum"),
        *("exp", "expm1", "log", "log1p", "logaddexp", "sqrt", "square"),
        *("sin", "cos", "tan", "arctan", "sinh", "cosh", "tanh"),
    )
} | {"absolute": "abs"}
"""The operation that a function of NumPy means, by its name."""

_COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")


class Expression:
    """A value that depends on the variables of a model; handles and all that is computed from them."""

    __slots__ = ()
    __hash__ = object.__hash__
    __pandas_priority__ = 5000
    """Above that of pandas' own, whose arithmetic then leaves the operation to this class."""

    def __array_ufunc__(self, function: np.ufunc, method: str, *given: Any, **options: Any) -> "Expression":
        """Let NumPy's functions and operators mean those of ``ex.math``, entry by entry."""
        if function.__name__ in _COMPARISONS:
            self._refuse_comparison(None)
        operation = _OPERATION_OF.get(function.__name__)
        if operation is None or method != "__call__" or options:
            self._refuse_numpy(function.__name__ if method == "__call__" else f"{function.__name__}.{method}")
        return Apply(operation, tuple(map(as_expression, given)))

    def __array_function__(self, function: Any, *_: Any) -> NoReturn:
        self._refuse_numpy(function.__name__)

    def __add__(self, other: Any) -> "Expression":
        return Apply("add", (self, as_expression(other)))

    def __radd__(self, other: Any) -> "Expression":
        return Apply("add", (as_expression(other), self))

    def __sub__(self, other: Any) -> "Expression":
        return Apply("subtract", (self, as_expression(other)))

    def __rsub__(self, other: Any) -> "Expression":
        return Apply("subtract", (as_expression(other), self))

    def __mul__(self, other: Any) -> "Expression":
        return Apply("multiply", (self, as_expression(other)))

    def __rmul__(self, other: Any) -> "Expression":
        return Apply("multiply", (as_expression(other), self))

    def __truediv__(self, other: Any) -> "Expression":
        return Apply("divide", (self, as_expression(other)))

    def __rtruediv__(self, other: Any) -> "Expression":
        return Apply("divide", (as_expression(other), self))

    def __pow__(self, other: Any) -> "Expression":
        return Apply("power", (self, as_expression(other)))

    def __rpow__(self, other: Any) -> "Expression":
        return Apply("power", (as_expression(other), self))

    def __matmul__(self, other: Any) -> "Expression":
        return Apply("matmul", (self, as_expression(other)))

    def __rmatmul__(self, other: Any) -> "Expression":
        return Apply("matmul", (as_expression(other), self))

    def __neg__(self) -> "Expression":
        return Apply("negative", (self,))

    def __pos__(self) -> "Expression":
        return self

    def __abs__(self) -> "Expression":
        return Apply("abs", (self,))

    @property
    def T(self) -> "Expression":
        """The array with its axes in reverse order."""
        return Apply("transpose", (self,))

    def __getitem__(self, key: Any) -> "Expression":
        parts = key if isinstance(key, tuple) else (key,)
        return Index(self, tuple(_index_part(part) for part in parts))

    def __iter__(self) -> Iterator["Expression"]:
        raise ModelError(f"{self!r} cannot be iterated over: write {self!r}[0], {self!r}[1] and so on.")

    def _refuse_comparison(self, other: object) -> NoReturn:
        raise ModelError(
            f"{self!r} cannot be compared: its value is only known while sampling. "
            "Write ex.math.gt, lt, ge, le, eq or neq, and ex.math.where to choose by the outcome."
        )

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse_comparison

    def __bool__(self) -> bool:
        raise ModelError(
            f"{self!r} is neither true nor false: its value is only known while sampling. "
            "Write ex.math.where(condition, a, b) instead of if."
        )

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        raise ModelError(
            f"{self!r} cannot become a NumPy array: its value is only known while sampling. "
            "Write the function of ex.math (ex.math.exp, ex.math.sum, ...) instead of NumPy's, and "
            "frame.to_numpy() @ x for a pandas frame."
        )

    def _refuse_numpy(self, name: str) -> NoReturn:
        raise ModelError(
            f"numpy.{name} cannot take {self!r}: its value is only known while sampling. "
            "Write the function of ex.math (ex.math.sum, ex.math.where, ...) instead of NumPy's."
        )

    def __repr__(self) -> str:
        from exmc_actors.model.text import expression_text

        return expression_text(self)


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Literal(Expression):
    """A number that belongs to the structure of the model: changing it means compiling again."""

    value: float | int | bool


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Constant(Expression):
    """An array that is passed to the program as an argument: changing its values compiles nothing."""

    array: np.ndarray


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Reference(Expression):
    """The value of what was declared under a name; this is what handles are."""

    name: str


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Apply(Expression):
    """An operation, by its name in the table of operations, applied to arguments."""

    operation: str
    arguments: tuple[Expression, ...]
    static: tuple[tuple[str, Any], ...] = ()
    """Settings such as an axis, by name: part of the structure."""


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Index(Expression):
    """Entries of an array, chosen as NumPy chooses them."""

    base: Expression
    parts: tuple[IndexPart, ...]


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Local(Expression):
    """A value inside the step of a ``Scan``: what is carried along, or the element that it has come to."""

    source: Expression
    """What is carried at first; or the sequence, whose first axis is walked along."""
    is_element: bool
    position: int
    """Among the carried values, or among the elements, of its scan."""
    height: int
    """How many scans are inside its own, one within the other: what tells it from the values of those."""


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Scan(Expression):
    """A recurrence: one step after another, each from what the one before has left.

    As a value it is nothing; an ``Item`` picks what it leaves.
    """

    carried: tuple[Local, ...]
    elements: tuple[Local, ...]
    updates: tuple[Expression, ...]
    """What is carried on, for each of ``carried``."""
    outputs: tuple[Expression, ...]
    """What each step puts out."""
    length: int | None
    """The number of steps, where there are no elements to count."""


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Item(Expression):
    """One of the results of a ``Scan``: the last carried values, then the outputs of all steps, stacked."""

    scan: Scan
    position: int


def as_expression(value: Any) -> Expression:
    """Return the expression that a handle, a variable's name, a number or an array stands for.

    Raises:
      ModelError: for anything else, and for arrays that do not hold numbers or hold NaN.
    """
    expression = unchecked_expression(value)
    if isinstance(expression, Constant) and expression is not value:
        try:
            check_not_nan(expression.array)
        except ModelError as error:
            raise ModelError(f"an array in an expression: {error}") from None
    return expression


def unchecked_expression(value: Any) -> Expression:
    """Return the same, where an array may hold NaN."""
    if isinstance(value, Expression):
        return value
    if isinstance(value, str):
        return Reference(value)
    if isinstance(value, bool | np.bool_):
        return Literal(bool(value))
    if isinstance(value, int | np.integer):
        return _of_integer(int(value))
    if isinstance(value, float | np.floating):
        return Literal(float(value))
    if hasattr(value, "log_prob"):
        raise ModelError(
            f"{_shown(value)} is a distribution, where a handle, a name, a number or an array is expected. "
            f"Declare a variable first, x = b.rv('x', {_shown(value)}), and use x."
        )
    array = frozen_array(value, "a value in an expression")
    return Constant(array) if array.ndim else as_expression(array[()])


def _of_integer(value: int) -> Literal:
    try:
        return Literal(value if abs(value) <= _EXACT_INTEGERS else float(value))
    except OverflowError:
        digits = int(value.bit_length() * 0.30103) + 1
        raise ModelError(
            f"an integer of about {digits} digits is no number in double precision, which ends at 1.8e308."
        ) from None


def _shown(value: Any) -> str:
    return f"{value.__name__}(...)" if isinstance(value, type) else repr(value)


def _index_part(part: Any) -> IndexPart:
    if part is None or part is Ellipsis:
        return part
    if isinstance(part, slice):
        return slice(*(_bound(bound) for bound in (part.start, part.stop, part.step)))
    expression = as_expression(part)
    if isinstance(expression, Literal) and type(expression.value) is int:
        return expression.value
    return expression


def _bound(bound: Any) -> int | None:
    if bound is None or (isinstance(bound, int | np.integer) and not isinstance(bound, bool)):
        return None if bound is None else int(bound)
    raise ModelError(f"the bounds of a slice must be integers, got {bound!r}; slice by fixed positions.")
