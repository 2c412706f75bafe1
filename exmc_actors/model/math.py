"""Offer the functions that expressions are built with; each takes handles, names, numbers and arrays.

The file is long because it is the whole list, two lines a function; what they compute stands in the table of
operations.
"""

from collections.abc import Iterable as _Iterable
from typing import Any as _Any

from numpy import integer as _Integer

from exmc_actors.errors import ModelError as _ModelError
from exmc_actors.model.expression import Apply as _Apply
from exmc_actors.model.expression import Expression as _Expression
from exmc_actors.model.expression import as_expression as _as_expression
from exmc_actors.model.recurrence import scan

__all__ = [
    "abs",
    "arctan",
    "cholesky",
    "clip",
    "concatenate",
    "cos",
    "cosh",
    "cumprod",
    "cumsum",
    "diag",
    "digamma",
    "dot",
    "eq",
    "erf",
    "erfc",
    "exp",
    "expm1",
    "gammaln",
    "ge",
    "gt",
    "invlogit",
    "invprobit",
    "le",
    "lgamma",
    "log",
    "log1mexp",
    "log1p",
    "log_ndtr",
    "log_softmax",
    "logaddexp",
    "logit",
    "logsumexp",
    "lt",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "ndtr",
    "neq",
    "outer",
    "prod",
    "scan",
    "sigmoid",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "solve",
    "solve_triangular",
    "sqrt",
    "square",
    "stack",
    "std",
    "sum",
    "tan",
    "tanh",
    "transpose",
    "var",
    "where",
]


def _apply(operation: str, *arguments: _Any, **static: _Any) -> _Expression:
    settings = tuple((name, _plain(value)) for name, value in static.items())
    return _Apply(operation, tuple(_as_expression(argument) for argument in arguments), settings)


def _plain(setting: _Any) -> _Any:
    """Return Python's own integers for those of NumPy, in a tuple, too."""
    if isinstance(setting, tuple):
        return tuple(map(_plain, setting))
    return int(setting) if isinstance(setting, _Integer) else setting


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


def log1mexp(x: _Any) -> _Expression:
    """Return ``log(1 - exp(x))`` for negative ``x``, accurate near zero and far from it, entry by entry."""
    return _apply("log1mexp", x)


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


def tan(x: _Any) -> _Expression:
    """Return the tangent, entry by entry."""
    return _apply("tan", x)


def arctan(x: _Any) -> _Expression:
    """Return the angle between -pi/2 and pi/2 with the given tangent, entry by entry."""
    return _apply("arctan", x)


def sinh(x: _Any) -> _Expression:
    """Return the hyperbolic sine, entry by entry."""
    return _apply("sinh", x)


def cosh(x: _Any) -> _Expression:
    """Return the hyperbolic cosine, entry by entry."""
    return _apply("cosh", x)


def tanh(x: _Any) -> _Expression:
    """Return the hyperbolic tangent, entry by entry."""
    return _apply("tanh", x)


def lgamma(x: _Any) -> _Expression:
    """Return the logarithm of the gamma function's absolute value, entry by entry."""
    return _apply("lgamma", x)


def digamma(x: _Any) -> _Expression:
    """Return the derivative of ``lgamma``, entry by entry."""
    return _apply("digamma", x)


def erf(x: _Any) -> _Expression:
    """Return the error function, entry by entry."""
    return _apply("erf", x)


def erfc(x: _Any) -> _Expression:
    """Return ``1 - erf(x)``, accurate where that is tiny, entry by entry."""
    return _apply("erfc", x)


def ndtr(x: _Any) -> _Expression:
    """Return the probability that a standard normal is below ``x``, entry by entry."""
    return _apply("ndtr", x)


def log_ndtr(x: _Any) -> _Expression:
    """Return ``log(ndtr(x))``, accurate in both tails, entry by entry."""
    return _apply("log_ndtr", x)


gammaln = lgamma
"""The same function by SciPy's name."""
invlogit = sigmoid
"""The same function by PyMC's name."""
invprobit = ndtr
"""The same function by PyMC's name."""


def maximum(a: _Any, b: _Any) -> _Expression:
    """Return the larger of the two, entry by entry."""
    return _apply("maximum", a, b)


def minimum(a: _Any, b: _Any) -> _Expression:
    """Return the smaller of the two, entry by entry."""
    return _apply("minimum", a, b)


def clip(x: _Any, low: _Any, high: _Any) -> _Expression:
    """Return ``x``, or the bound that it lies beyond, entry by entry."""
    return _apply("clip", x, low, high)


def logaddexp(a: _Any, b: _Any) -> _Expression:
    """Return ``log(exp(a) + exp(b))`` without overflow, entry by entry."""
    return _apply("logaddexp", a, b)


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


def eq(a: _Any, b: _Any) -> _Expression:
    """Return 1 where ``a`` equals ``b`` and 0 elsewhere."""
    return _apply("eq", a, b)


def neq(a: _Any, b: _Any) -> _Expression:
    """Return 0 where ``a`` equals ``b`` and 1 elsewhere."""
    return _apply("neq", a, b)


def where(condition: _Any, a: _Any, b: _Any) -> _Expression:
    """Return ``a`` where the condition is not 0 and ``b`` elsewhere, entry by entry.

    Both are computed; where the one not chosen is infinite or NaN, so may be the gradient: keep its
    argument in range, for example by ``maximum``.
    """
    return _apply("where", condition, a, b)


def dot(a: _Any, b: _Any) -> _Expression:
    """Return the product of two vectors, a matrix and a vector, or two matrices."""
    return _apply("dot", a, b)


def outer(a: _Any, b: _Any) -> _Expression:
    """Return the matrix of the products of each entry of one vector with each of another."""
    return _apply("outer", a, b)


def transpose(x: _Any) -> _Expression:
    """Return the array with its axes in reverse order, as ``x.T`` is."""
    return _apply("transpose", x)


def diag(x: _Any) -> _Expression:
    """Return the matrix with a vector on its diagonal, or the diagonal of a matrix."""
    return _apply("diag", x)


def cholesky(x: _Any) -> _Expression:
    """Return the lower triangular factor of each symmetric positive definite matrix; NaN for others.

    Beyond about fifty rows it keeps the sampler's loop from being one native kernel.
    """
    return _apply("cholesky", x)


def solve(matrix: _Any, b: _Any) -> _Expression:
    """Return what a square matrix times gives ``b``, a vector or a matrix of columns.

    Beyond about fifty rows it keeps the sampler's loop from being one native kernel.
    """
    return _apply("solve", matrix, b)


def solve_triangular(matrix: _Any, b: _Any, *, lower: bool) -> _Expression:
    """Return what a triangular matrix times gives ``b``, a vector or a matrix.

    Args:
      matrix: whose other triangle is not read.
      b: a vector, or a matrix of columns.
      lower: whether it is the lower triangle that counts; SciPy takes the upper one unless told.
    """
    return _apply("solve_triangular", matrix, b, lower=int(lower))


def sum(x: _Any, axis: int | tuple[int, ...] | None = None) -> _Expression:
    """Return the sum over ``axis``, or over all entries for None."""
    return _apply("sum", x, axis=axis)


def mean(x: _Any, axis: int | tuple[int, ...] | None = None) -> _Expression:
    """Return the mean over ``axis``, or over all entries for None."""
    return _apply("mean", x, axis=axis)


def prod(x: _Any, axis: int | tuple[int, ...] | None = None) -> _Expression:
    """Return the product over ``axis``, or of all entries for None."""
    return _apply("prod", x, axis=axis)


def max(x: _Any, axis: int | tuple[int, ...] | None = None) -> _Expression:
    """Return the largest entry along ``axis``, or of all for None."""
    return _apply("max", x, axis=axis)


def min(x: _Any, axis: int | tuple[int, ...] | None = None) -> _Expression:
    """Return the smallest entry along ``axis``, or of all for None."""
    return _apply("min", x, axis=axis)


def var(x: _Any, axis: int | tuple[int, ...] | None = None, ddof: int = 0) -> _Expression:
    """Return the mean squared distance from the mean; ``ddof`` is taken from the number of entries."""
    return _apply("var", x, axis=axis, ddof=ddof)


def std(x: _Any, axis: int | tuple[int, ...] | None = None, ddof: int = 0) -> _Expression:
    """Return the square root of the variance."""
    return _apply("std", x, axis=axis, ddof=ddof)


def logsumexp(x: _Any, axis: int | tuple[int, ...] | None = None) -> _Expression:
    """Return ``log(sum(exp(x)))`` without overflow, over ``axis``, or over all entries for None."""
    return _apply("logsumexp", x, axis=axis)


def softmax(x: _Any, axis: int = -1) -> _Expression:
    """Return ``exp(x) / sum(exp(x))`` without overflow, along one axis: probabilities that add up to one."""
    return _apply("softmax", x, axis=axis)


def log_softmax(x: _Any, axis: int = -1) -> _Expression:
    """Return ``log(softmax(x))``, accurate where probabilities are tiny."""
    return _apply("log_softmax", x, axis=axis)


def cumsum(x: _Any, axis: int | None = None) -> _Expression:
    """Return running sums along ``axis``, or of all entries in order for None."""
    return _apply("cumsum", x, axis=axis)


def cumprod(x: _Any, axis: int | None = None) -> _Expression:
    """Return running products along ``axis``, or of all entries in order for None."""
    return _apply("cumprod", x, axis=axis)


def concatenate(values: _Iterable[_Any], axis: int = 0) -> _Expression:
    """Join values along an axis that they have."""
    return _apply("concatenate", *_several(values, "concatenate"), axis=axis)


def stack(values: _Iterable[_Any], axis: int = 0) -> _Expression:
    """Join values of one shape along a new axis."""
    return _apply("stack", *_several(values, "stack"), axis=axis)


def _several(values: _Any, function: str) -> tuple[_Any, ...]:
    is_several = not isinstance(values, _Expression | str) and hasattr(values, "__iter__")
    several = tuple(values) if is_several else ()
    if not several:
        raise _ModelError(f"{function} takes a list of values, got {values!r}: write {function}([a, b]).")
    return several
