"""Offer the functions that expressions are built with; each takes handles, names, numbers and arrays."""

from collections.abc import Sequence as _Sequence
from typing import Any as _Any

from exmc_actors.errors import ModelError as _ModelError
from exmc_actors.model.expression import Apply as _Apply
from exmc_actors.model.expression import Expression as _Expression
from exmc_actors.model.expression import as_expression as _as_expression
from exmc_actors.model.recurrence import scan

__all__ = [
    "abs",
    "concatenate",
    "cos",
    "cumsum",
    "dot",
    "erf",
    "exp",
    "expm1",
    "gammaln",
    "ge",
    "gt",
    "le",
    "lgamma",
    "log",
    "log1p",
    "logit",
    "logsumexp",
    "lt",
    "maximum",
    "mean",
    "minimum",
    "scan",
    "sigmoid",
    "sin",
    "softplus",
    "sqrt",
    "square",
    "stack",
    "sum",
    "tanh",
    "where",
]


def _apply(operation: str, *arguments: _Any, **static: _Any) -> _Expression:
    return _Apply(operation, tuple(_as_expression(argument) for argument in arguments), tuple(static.items()))


def exp(x: _Any) -> _Expression:
    """Return e raised to ``x``, entry by entry."""
    return _apply("exp", x)


def expm1(x: _Any) -> _Expression:
    """Return ``exp(x) - 1``, accurate near zero, entry by entry."""
    return _apply("expm1", x)


def log(x: _Any) -> _Expression:
    """Return the natural logarithm, entry by entry."""
    return _apply("log", x)


def log1p(x: _Any) -> _Expression:
    """Return ``log(1 + x)``, accurate near zero, entry by entry."""
    return _apply("log1p", x)


def sqrt(x: _Any) -> _Expression:
    """Return the square root, entry by entry."""
    return _apply("sqrt", x)


def square(x: _Any) -> _Expression:
    """Return ``x * x``, entry by entry."""
    return _apply("square", x)


def abs(x: _Any) -> _Expression:
    """Return the absolute value, entry by entry."""
    return _apply("abs", x)


def sigmoid(x: _Any) -> _Expression:
    """Return ``1 / (1 + exp(-x))``, entry by entry."""
    return _apply("sigmoid", x)


def logit(x: _Any) -> _Expression:
    """Return ``log(x / (1 - x))``, entry by entry."""
    return _apply("logit", x)


def softplus(x: _Any) -> _Expression:
    """Return ``log(1 + exp(x))`` without overflow, entry by entry."""
    return _apply("softplus", x)


def sin(x: _Any) -> _Expression:
    """Return the sine, entry by entry."""
    return _apply("sin", x)


def cos(x: _Any) -> _Expression:
    """Return the cosine, entry by entry."""
    return _apply("cos", x)


def tanh(x: _Any) -> _Expression:
    """Return the hyperbolic tangent, entry by entry."""
    return _apply("tanh", x)


def lgamma(x: _Any) -> _Expression:
    """Return the logarithm of the gamma function's absolute value, entry by entry."""
    return _apply("lgamma", x)


def erf(x: _Any) -> _Expression:
    """Return the error function, entry by entry."""
    return _apply("erf", x)


gammaln = lgamma
"""The same function by SciPy's name."""


def maximum(a: _Any, b: _Any) -> _Expression:
    """Return the larger of the two, entry by entry."""
    return _apply("maximum", a, b)


def minimum(a: _Any, b: _Any) -> _Expression:
    """Return the smaller of the two, entry by entry."""
    return _apply("minimum", a, b)


def gt(a: _Any, b: _Any) -> _Expression:
    """Return 1 where ``a > b`` and 0 elsewhere."""
    return _apply("gt", a, b)


def lt(a: _Any, b: _Any) -> _Expression:
    """Return 1 where ``a < b`` and 0 elsewhere."""
    return _apply("lt", a, b)


def ge(a: _Any, b: _Any) -> _Expression:
    """Return 1 where ``a >= b`` and 0 elsewhere."""
    return _apply("ge", a, b)


def le(a: _Any, b: _Any) -> _Expression:
    """Return 1 where ``a <= b`` and 0 elsewhere."""
    return _apply("le", a, b)


def where(condition: _Any, a: _Any, b: _Any) -> _Expression:
    """Return ``a`` where the condition is not 0 and ``b`` elsewhere, entry by entry.

    Both are computed; where the one not chosen is infinite or NaN, so may be the gradient: keep its
    argument in range, for example by ``maximum``.
    """
    return _apply("where", condition, a, b)


def dot(a: _Any, b: _Any) -> _Expression:
    """Return the product of two vectors, a matrix and a vector, or two matrices."""
    return _apply("dot", a, b)


def sum(x: _Any, axis: int | tuple[int, ...] | None = None) -> _Expression:
    """Return the sum over ``axis``, or over all entries for None."""
    return _apply("sum", x, axis=axis)


def mean(x: _Any, axis: int | tuple[int, ...] | None = None) -> _Expression:
    """Return the mean over ``axis``, or over all entries for None."""
    return _apply("mean", x, axis=axis)


def logsumexp(x: _Any, axis: int | tuple[int, ...] | None = None) -> _Expression:
    """Return ``log(sum(exp(x)))`` without overflow, over ``axis``, or over all entries for None."""
    return _apply("logsumexp", x, axis=axis)


def cumsum(x: _Any, axis: int | None = None) -> _Expression:
    """Return running sums along ``axis``, or of all entries in order for None."""
    return _apply("cumsum", x, axis=axis)


def concatenate(values: _Sequence[_Any], axis: int = 0) -> _Expression:
    """Join values along an axis that they have."""
    return _apply("concatenate", *_several(values, "concatenate"), axis=axis)


def stack(values: _Sequence[_Any], axis: int = 0) -> _Expression:
    """Join values of one shape along a new axis."""
    return _apply("stack", *_several(values, "stack"), axis=axis)


def _several(values: _Any, function: str) -> tuple[_Any, ...]:
    if isinstance(values, _Expression | str) or not hasattr(values, "__iter__") or not len(values):
        raise _ModelError(f"{function} takes a list of values, got {values!r}: write {function}([a, b]).")
    return tuple(values)
