"""List every operation that an expression may name: its rule for shapes and its function in JAX.

The table is the whole vocabulary of expressions: what is not in it cannot be in a model, nor in the bytes
of one.  To add an operation, add a row here and a function to ``exmc_actors.model.math``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import jax
import jax.numpy as jnp

from exmc_actors.errors import ModelError
from exmc_actors.model import (
    elimination,
    functions,
    link_sums,
    matrices,
    normal_probability,
    reductions,
    triangular,
)
from exmc_actors.model.shapes import (
    Shape,
    broadcast,
    concatenated,
    diagonal,
    dot,
    matmul,
    normal_axis,
    outer,
    reduced,
    reduced_of_some,
    solved,
    spread,
    square,
    stacked,
    transposed,
)


@dataclass(frozen=True)
class Operation:
    """A function of arrays."""

    shape: Callable[..., Shape]
    """The shape of the result from the list of the arguments' shapes and the static settings."""
    compute: Callable[..., Any]
    """The result from the arguments and the static settings; traced by JAX."""
    arguments: int | None = 1
    """How many it takes; None for one or more."""
    static: tuple[str, ...] = ()
    """The names of its static settings."""
    symbol: str | None = None
    """How it is written between two arguments."""


def _elementwise(shapes: Sequence[Shape]) -> Shape:
    return broadcast(*shapes)


def _reduced(shapes: Sequence[Shape], axis: Any) -> Shape:
    return reduced(shapes[0], axis)


def _running(shapes: Sequence[Shape], axis: Any) -> Shape:
    if axis is None:
        return (prod(shapes[0]),)
    normal_axis(axis, len(shapes[0]))
    return shapes[0]


def _along(shapes: Sequence[Shape], axis: Any) -> Shape:
    normal_axis(axis, len(shapes[0]))
    return shapes[0]


def _total(shapes: Sequence[Shape]) -> Shape:
    if len(shapes[0]) != 1:
        raise ModelError(f"the sum of a link takes a vector, got shape {shapes[0]}: write sum(...) instead.")
    return ()


def _unary(compute: Callable[..., Any]) -> Operation:
    return Operation(_elementwise, compute)


def _binary(compute: Callable[..., Any], symbol: str | None = None) -> Operation:
    return Operation(_elementwise, compute, arguments=2, symbol=symbol)


def _comparison(compute: Callable[..., Any]) -> Operation:
    # As numbers, since two booleans would add up to one boolean.
    return _binary(lambda a, b: compute(a, b).astype(float))


def _reduction(compute: Callable[..., Any]) -> Operation:
    return Operation(_reduced, compute, static=("axis",))


def _choice(compute: Callable[..., Any]) -> Operation:
    return Operation(
        lambda shapes, axis: reduced_of_some(shapes[0], axis),
        lambda x, axis: compute(jnp.asarray(x), axis=axis),
        static=("axis",),
    )


def _spread(compute: Callable[..., Any]) -> Operation:
    return Operation(
        lambda shapes, axis, ddof: spread(shapes[0], axis, ddof), compute, static=("axis", "ddof")
    )


OPERATIONS: dict[str, Operation] = {
    "add": _binary(jnp.add, "+"),
    "subtract": _binary(jnp.subtract, "-"),
    "multiply": _binary(jnp.multiply, "*"),
    "divide": _binary(jnp.divide, "/"),
    "power": _binary(functions.power, "**"),
    "matmul": Operation(lambda shapes: matmul(*shapes), matrices.matmul, arguments=2, symbol="@"),
    "dot": Operation(lambda shapes: dot(*shapes), matrices.dot, arguments=2),
    "maximum": _binary(jnp.maximum),
    "minimum": _binary(jnp.minimum),
    "gt": _comparison(jnp.greater),
    "lt": _comparison(jnp.less),
    "ge": _comparison(jnp.greater_equal),
    "le": _comparison(jnp.less_equal),
    "eq": _comparison(jnp.equal),
    "neq": _comparison(jnp.not_equal),
    "where": Operation(_elementwise, lambda c, a, b: jnp.where(c != 0.0, a, b), arguments=3),
    "clip": Operation(_elementwise, lambda x, low, high: jnp.minimum(jnp.maximum(x, low), high), arguments=3),
    "logaddexp": _binary(reductions.logaddexp),
    "negative": _unary(jnp.negative),
    "abs": _unary(jnp.abs),
    "exp": _unary(jnp.exp),
    "expm1": _unary(jnp.expm1),
    "log": _unary(jnp.log),
    "log1p": _unary(jnp.log1p),
    "sqrt": _unary(jnp.sqrt),
    "square": _unary(jnp.square),
    "sigmoid": _unary(jax.nn.sigmoid),
    "logit": _unary(functions.logit),
    "softplus": _unary(functions.softplus),
    "sin": _unary(jnp.sin),
    "cos": _unary(jnp.cos),
    "tan": _unary(jnp.tan),
    "arctan": _unary(jnp.arctan),
    "sinh": _unary(jnp.sinh),
    "cosh": _unary(jnp.cosh),
    "tanh": _unary(jnp.tanh),
    "log1mexp": _unary(lambda x: functions.log1mexp(-x)),
    "lgamma": _unary(jax.lax.lgamma),
    "digamma": _unary(jax.lax.digamma),
    "erf": _unary(jax.lax.erf),
    "erfc": _unary(jax.lax.erfc),
    "ndtr": _unary(normal_probability.ndtr),
    "log_ndtr": _unary(normal_probability.log_ndtr),
    "sum": _reduction(jnp.sum),
    "mean": _reduction(jnp.mean),
    "prod": _reduction(jnp.prod),
    "max": _choice(jnp.max),
    "min": _choice(jnp.min),
    "var": _spread(reductions.var),
    "std": _spread(reductions.std),
    "logsumexp": _reduction(reductions.logsumexp),
    "softmax": Operation(_along, jax.nn.softmax, static=("axis",)),
    "log_softmax": Operation(_along, jax.nn.log_softmax, static=("axis",)),
    "softplus_sum": Operation(_total, link_sums.softplus_sum),
    "exp_sum": Operation(_total, link_sums.exp_sum),
    "cumsum": Operation(_running, functions.cumsum, static=("axis",)),
    "cumprod": Operation(_running, reductions.cumprod, static=("axis",)),
    "transpose": Operation(lambda shapes: transposed(shapes[0]), jnp.transpose),
    "outer": Operation(lambda shapes: outer(*shapes), matrices.outer, arguments=2),
    "diag": Operation(lambda shapes: diagonal(shapes[0]), matrices.diag),
    "cholesky": Operation(lambda shapes: square("cholesky", shapes[0]), triangular.cholesky),
    "solve": Operation(lambda shapes: solved("solve", *shapes), elimination.solve, arguments=2),
    "solve_triangular": Operation(
        lambda shapes, lower: solved("solve_triangular", *shapes),
        matrices.solve_triangular,
        arguments=2,
        static=("lower",),
    ),
    "concatenate": Operation(
        lambda shapes, axis: concatenated(shapes, axis),
        lambda *arrays, axis: jnp.concatenate(arrays, axis=axis),
        arguments=None,
        static=("axis",),
    ),
    "stack": Operation(
        lambda shapes, axis: stacked(shapes, axis),
        lambda *arrays, axis: jnp.stack(arrays, axis=axis),
        arguments=None,
        static=("axis",),
    ),
}
