"""Evaluate a function of one vector for many vectors at once, a lane each, with the lanes on the last axis.

What ``jax.vmap`` is for, but for the layout: it brings the lanes to the front of every sum, product of
matrices and update, where each then strides over memory, and makes scatters of updates in place.  Here every
array keeps its axes, and the contiguous one after them is that of the lanes.  What no rule is known for is
left to ``jax.vmap``.  A file as long as it has rules: one for each kind of equation.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from exmc_actors.compiler.jaxprs import computed, evaluate
from exmc_actors.compiler.lane_products import matrix_product

_ENTRYWISE_NAMES = """
    abs acos acosh add and asin asinh atan atan2 atanh bessel_i0e bessel_i1e cbrt ceil clamp clz
    convert_element_type copy cos cosh digamma div eq eq_to erf erf_inv erfc exp exp2 expm1 floor ge gt
    igamma igamma_grad_a igammac integer_pow is_finite le le_to lgamma log log1p logistic lt lt_to max
    min mul ne neg nextafter not or polygamma population_count pow reduce_precision
    regularized_incomplete_beta rem round rsqrt select_n shift_left shift_right_arithmetic
    shift_right_logical sign sin sinh sqrt square sub tan tanh xor zeta
"""
_ENTRYWISE = frozenset(_ENTRYWISE_NAMES.split())
_ALONG_AXES_NAMES = """
    argmax argmin cumlogsumexp cummax cummin cumprod cumsum reduce_and reduce_max reduce_min reduce_or
    reduce_prod reduce_sum rev split squeeze
"""
_ALONG_AXES = frozenset(_ALONG_AXES_NAMES.split())
"""What names axes by numbers that count from the left, so that one more on the right changes nothing."""


@dataclass(frozen=True, eq=False)
class _Lanes:
    """A value that differs from lane to lane."""

    array: jax.Array
    """The lanes are its last axis."""


Rule: TypeAlias = Callable[[Any, Sequence[Any], int], Sequence[Any]]
"""Returns the outputs of an equation, all in lanes, from the equation, its inputs and the number of lanes."""


def in_lanes(function: Callable[..., Any], lanes: jax.Array, *shared: Any) -> Any:
    """Return what ``function(lane, *shared)`` returns for each lane, with the lanes on the last axis.

    Args:
      function: of a vector and of what all lanes share; traced by JAX.
      lanes: the vectors, shape (n, w).
      shared: any trees of arrays.
    """
    width = lanes.shape[-1]
    traced, shapes = jax.make_jaxpr(function, return_shape=True)(lanes[..., 0], *shared)
    inputs = [_Lanes(lanes), *jax.tree.leaves(shared)]
    found = _evaluated(traced.jaxpr, traced.consts, inputs, width)
    return jax.tree.unflatten(jax.tree.structure(shapes), [_spread(one, width) for one in found])


def _evaluated(jaxpr: Any, constants: Sequence[Any], inputs: Sequence[Any], width: int) -> list[Any]:
    def rule(equation: Any, values: Sequence[Any]) -> Sequence[Any]:
        if not any(isinstance(value, _Lanes) for value in values):
            return computed(equation, values)
        return _rule_of(equation, values)(equation, values, width)

    return evaluate(rule, jaxpr, constants, *inputs)


def _rule_of(equation: Any, values: Sequence[Any]) -> Rule:
    name = equation.primitive.name
    if name in _ENTRYWISE:
        return _entrywise
    if name in _ALONG_AXES:
        return _along_axes
    if any(isinstance(value, _Lanes) for value in values[_SHARED_FROM.get(name, len(values)) :]):
        return _by_vmap
    return _RULES.get(name, _by_vmap)


def _spread(value: Any, width: int) -> jax.Array:
    """Return a value with the lanes on its last axis."""
    if isinstance(value, _Lanes):
        return value.array
    array = jnp.asarray(value)
    return lax.broadcast_in_dim(array, (*array.shape, width), range(array.ndim))


def _bound(equation: Any, *inputs: Any, **changed: Any) -> Sequence[Any]:
    primitive = equation.primitive
    found = primitive.bind(*inputs, **(primitive.get_bind_params(equation.params) | changed))
    return [_Lanes(one) for one in (found if primitive.multiple_results else [found])]


def _by_vmap(equation: Any, values: Sequence[Any], width: int) -> Sequence[Any]:
    axes = [-1 if isinstance(value, _Lanes) else None for value in values]
    arrays = [value.array if isinstance(value, _Lanes) else value for value in values]
    found = jax.vmap(lambda *inputs: list(computed(equation, inputs)), in_axes=axes, out_axes=-1)(*arrays)
    return [_Lanes(one) for one in found]


def _entrywise(equation: Any, values: Sequence[Any], width: int) -> Sequence[Any]:
    shape = (*equation.outvars[0].aval.shape, width)
    return _bound(equation, *(_stretched(value, shape) for value in values))


def _stretched(value: Any, shape: tuple[int, ...]) -> Any:
    """Return an operand in the shape of the result, in which a number may stand for all entries."""
    array = value.array if isinstance(value, _Lanes) else jnp.asarray(value)
    if not isinstance(value, _Lanes):
        return lax.broadcast_in_dim(array, shape, range(array.ndim))
    if array.ndim == len(shape):
        return array
    return lax.broadcast_in_dim(array, shape, (len(shape) - 1,))


def _along_axes(equation: Any, values: Sequence[Any], width: int) -> Sequence[Any]:
    return _bound(equation, _spread(values[0], width))


def _broadcast_in_dim(equation: Any, values: Sequence[Any], width: int) -> Sequence[Any]:
    shape, axes = equation.params["shape"], equation.params["broadcast_dimensions"]
    return [_Lanes(lax.broadcast_in_dim(values[0].array, (*shape, width), (*axes, len(shape))))]


def _reshape(equation: Any, values: Sequence[Any], width: int) -> Sequence[Any]:
    return [_Lanes(values[0].array.reshape(*equation.params["new_sizes"], width))]


def _transpose(equation: Any, values: Sequence[Any], width: int) -> Sequence[Any]:
    order = equation.params["permutation"]
    return [_Lanes(lax.transpose(values[0].array, (*order, len(order))))]


def _concatenate(equation: Any, values: Sequence[Any], width: int) -> Sequence[Any]:
    return _bound(equation, *(_spread(value, width) for value in values))


def _pad(equation: Any, values: Sequence[Any], width: int) -> Sequence[Any]:
    widths = (*equation.params["padding_config"], (0, 0, 0))
    return [_Lanes(lax.pad(_spread(values[0], width), values[1], widths))]


def _slice(equation: Any, values: Sequence[Any], width: int) -> Sequence[Any]:
    starts, limits, steps = (equation.params[name] for name in ("start_indices", "limit_indices", "strides"))
    steps = None if steps is None else (*steps, 1)
    return [_Lanes(lax.slice(values[0].array, (*starts, 0), (*limits, width), steps))]


def _dynamic_slice(equation: Any, values: Sequence[Any], width: int) -> Sequence[Any]:
    array, *starts = values
    sizes = (*equation.params["slice_sizes"], width)
    return [_Lanes(lax.dynamic_slice(array.array, _with_zero(starts), sizes))]


def _dynamic_update_slice(equation: Any, values: Sequence[Any], width: int) -> Sequence[Any]:
    array, update, *starts = values
    updated = lax.dynamic_update_slice(_spread(array, width), _spread(update, width), _with_zero(starts))
    return [_Lanes(updated)]


def _with_zero(starts: Sequence[Any]) -> list[Any]:
    return [*starts, np.zeros((), jnp.result_type(*starts) if starts else np.int32)]


def _gather(equation: Any, values: Sequence[Any], width: int) -> Sequence[Any]:
    numbers = equation.params["dimension_numbers"]
    rank = len(equation.outvars[0].aval.shape)
    numbers = numbers._replace(offset_dims=(*numbers.offset_dims, rank))
    sizes = (*equation.params["slice_sizes"], width)
    array, positions = values
    return _bound(equation, array.array, positions, dimension_numbers=numbers, slice_sizes=sizes)


def _dot_general(equation: Any, values: Sequence[Any], width: int) -> Sequence[Any]:
    # A product may be asked for in a wider type than that of its factors.
    left, right = (_of_type(value, equation.outvars[0].aval.dtype) for value in values)
    if isinstance(left, _Lanes) and isinstance(right, _Lanes):
        return [_Lanes(_product_of_lanes(equation, left.array, right.array))]
    (of_left, of_right), (batch, _) = equation.params["dimension_numbers"]
    if batch or len(of_left) != 1:
        return _by_vmap(equation, values, width)
    if isinstance(right, _Lanes):
        return [_Lanes(_product(left, of_left[0], right.array, of_right[0]))]
    product = _product(right, of_right[0], left.array, of_left[0])
    free = jnp.ndim(right) - 1
    order = (*range(free, product.ndim - 1), *range(free), product.ndim - 1)
    return [_Lanes(lax.transpose(product, order))]


def _of_type(value: Any, dtype: Any) -> Any:
    if isinstance(value, _Lanes):
        return _Lanes(value.array.astype(dtype))
    return value if value.dtype == dtype else jnp.asarray(value, dtype)


def _product(matrix: Any, of_matrix: int, lanes: jax.Array, of_lanes: int) -> jax.Array:
    """Sum over an axis of each; the other axes of the matrix come first."""
    lanes = jnp.moveaxis(lanes, of_lanes, 0)
    free = [length for axis, length in enumerate(jnp.shape(matrix)) if axis != of_matrix]
    if len(free) == 1:
        return matrix_product(matrix, lanes, of_matrix)
    flat = jnp.moveaxis(jnp.asarray(matrix), of_matrix, 0).reshape(lanes.shape[0], math.prod(free))
    return matrix_product(flat, lanes, 0).reshape(*free, *lanes.shape[1:])


def _product_of_lanes(equation: Any, left: jax.Array, right: jax.Array) -> jax.Array:
    """Multiply entry by entry and add up: each lane has matrices of its own."""
    ((of_left, of_right), (batch_left, batch_right)) = equation.params["dimension_numbers"]
    lanes_left, lanes_right = left.ndim - 1, right.ndim - 1
    free_left = [axis for axis in range(lanes_left) if axis not in (*of_left, *batch_left)]
    free_right = [axis for axis in range(lanes_right) if axis not in (*of_right, *batch_right)]
    # Summed axes first: the sum then runs over rows of lanes.
    left = lax.transpose(left, (*of_left, *batch_left, *free_left, lanes_left))
    right = lax.transpose(right, (*of_right, *batch_right, *free_right, lanes_right))
    summed, both = len(of_left), len(of_left) + len(batch_left)
    left = lax.expand_dims(left, range(left.ndim - 1, left.ndim - 1 + len(free_right)))
    right = lax.expand_dims(right, range(both, both + len(free_left)))
    return jnp.sum(left * right, axis=tuple(range(summed)))


def _call(equation: Any, values: Sequence[Any], width: int) -> Sequence[Any]:
    inner = equation.params["call_jaxpr"]
    return _evaluated(inner.jaxpr, inner.consts, values, width)


def _scan(equation: Any, values: Sequence[Any], width: int) -> Sequence[Any]:
    if not equation.params["length"]:
        return _by_vmap(equation, values, width)
    body = equation.params["jaxpr"]
    fixed, carried = _fixed_and_carried(equation, body)
    constants, begin, rows = values[:fixed], values[fixed : fixed + carried], values[fixed + carried :]
    row_like = [isinstance(one, _Lanes) for one in rows]
    row = _spread_like([_first(one) for one in rows], row_like, width)
    carry_like = _carry_like(body, constants, begin, row, width)
    made_like: list[Any] = []

    def step(carry: list[Any], row: list[Any]) -> tuple[list[Any], list[Any]]:
        inputs = [*constants, *_wrapped(carry, carry_like), *_wrapped(row, row_like)]
        found = _evaluated(body.jaxpr, body.consts, inputs, width)
        made_like[:] = [isinstance(one, _Lanes) for one in found[carried:]]
        return _arrays(found[:carried], carry_like, width), _arrays(found[carried:], made_like, width)

    options = {name: equation.params[name] for name in ("length", "reverse", "unroll")}
    last, made = lax.scan(step, _arrays(begin, carry_like, width), _arrays(rows, row_like, width), **options)
    return [*_wrapped(last, carry_like), *_wrapped(made, made_like)]


def _fixed_and_carried(equation: Any, body: Any) -> tuple[int, int]:
    """Return how many inputs of a scan are constants, and how many are carried.

    By the axis that sequences have and a step's entries have not: what JAX calls these counts depends on its
    version.
    """

    def entries(outer: Any, inner: Any) -> list[bool]:
        return [one.aval.ndim != each.ndim for one, each in zip(outer, inner, strict=True)]

    carried = entries(equation.outvars, body.out_avals).count(False)
    rest = entries(equation.invars, body.in_avals).count(False)
    return rest - carried, carried


def _first(rows: Any) -> Any:
    return _Lanes(rows.array[0]) if isinstance(rows, _Lanes) else rows[0]


def _while(equation: Any, values: Sequence[Any], width: int) -> Sequence[Any]:
    """Loop while a condition that all lanes share holds; one of each lane's own is left to ``jax.vmap``."""
    of_condition, of_body = equation.params["cond_nconsts"], equation.params["body_nconsts"]
    condition, body = equation.params["cond_jaxpr"], equation.params["body_jaxpr"]
    told, constants = values[:of_condition], values[of_condition : of_condition + of_body]
    begin = values[of_condition + of_body :]
    like = _carry_like(body, constants, begin, [], width)
    (decides,) = _are_in_lanes(condition, [*told, *_spread_like(begin, like, width)], width)
    if decides:
        return _by_vmap(equation, values, width)

    def goes_on(carry: Sequence[Any]) -> Any:
        return _evaluated(condition.jaxpr, condition.consts, [*told, *_wrapped(carry, like)], width)[0]

    def step(carry: Sequence[Any]) -> Sequence[Any]:
        found = _evaluated(body.jaxpr, body.consts, [*constants, *_wrapped(carry, like)], width)
        return _arrays(found, like, width)

    return _wrapped(lax.while_loop(goes_on, step, _arrays(begin, like, width)), like)


def _cond(equation: Any, values: Sequence[Any], width: int) -> Sequence[Any]:
    """Take the branch that all lanes share; one of each lane's own is left to ``jax.vmap``."""
    index, *inputs = values
    if isinstance(index, _Lanes):
        return _by_vmap(equation, values, width)

    def taken(branch: Any) -> Callable[[], list[jax.Array]]:
        return lambda: [_spread(one, width) for one in _evaluated(branch.jaxpr, branch.consts, inputs, width)]

    return [
        _Lanes(one) for one in lax.switch(index, [taken(branch) for branch in equation.params["branches"]])
    ]


def _carry_like(
    body: Any, constants: Sequence[Any], begin: Sequence[Any], row: Sequence[Any], width: int
) -> list[bool]:
    """Say which parts of what a loop carries differ from lane to lane, at the beginning or later."""
    like = [isinstance(one, _Lanes) for one in begin]
    while True:
        found = _are_in_lanes(body, [*constants, *_spread_like(begin, like, width), *row], width)
        grown = [one or other for one, other in zip(like, found, strict=False)]
        if grown == like:
            return like
        like = grown


def _are_in_lanes(function: Any, inputs: Sequence[Any], width: int) -> list[bool]:
    """Say which outputs of a jaxpr differ from lane to lane; nothing is computed."""
    found: list[bool] = []

    def look() -> None:
        outputs = _evaluated(function.jaxpr, function.consts, inputs, width)
        found.extend(isinstance(one, _Lanes) for one in outputs)

    jax.eval_shape(look)
    return found


def _spread_like(values: Sequence[Any], like: Sequence[bool], width: int) -> list[Any]:
    return _wrapped(_arrays(values, like, width), like)


def _arrays(values: Sequence[Any], like: Sequence[bool], width: int) -> list[Any]:
    return [
        _spread(one, width) if lanes else jnp.asarray(one) for one, lanes in zip(values, like, strict=True)
    ]


def _wrapped(arrays: Sequence[Any], like: Sequence[bool]) -> list[Any]:
    return [_Lanes(one) if lanes else one for one, lanes in zip(arrays, like, strict=True)]


_RULES: Mapping[str, Rule] = {
    "broadcast_in_dim": _broadcast_in_dim,
    "concatenate": _concatenate,
    "cond": _cond,
    "custom_jvp_call": _call,
    "custom_vjp_call": _call,
    "dot_general": _dot_general,
    "dynamic_slice": _dynamic_slice,
    "dynamic_update_slice": _dynamic_update_slice,
    "gather": _gather,
    "pad": _pad,
    "reshape": _reshape,
    "scan": _scan,
    "slice": _slice,
    "transpose": _transpose,
    "while": _while,
}

_SHARED_FROM = {"dynamic_slice": 1, "dynamic_update_slice": 2, "gather": 1, "pad": 1}
"""The first input that must be shared by all lanes: positions, and what fills up."""
