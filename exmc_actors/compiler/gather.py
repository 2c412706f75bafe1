"""Index arrays so that neither the value nor the derivative leaves a folded loop.

JAX's own derivative of ``x[positions]`` is a scatter, which XLA does not fold into a native loop; here it is
a loop of updates in place.  Slices become slices, whose derivative is padding.
"""

from math import prod
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from exmc_actors.model import IndexPlan, Shape


def take(base: jax.Array, plan: IndexPlan, positions: tuple[Any, ...]) -> jax.Array:
    """Return the entries that a plan names.

    The positions, one array or integer for each gathered axis, must lie within it; arrays must count from
    the left.
    """
    sliced = _sliced(base, plan).reshape(plan.sliced)
    if not plan.gathered:
        return sliced
    lengths = tuple(plan.sliced[axis] for axis in plan.gathered)
    rest = tuple(length for axis, length in enumerate(plan.sliced) if axis not in plan.gathered)
    front = range(len(lengths))
    rows = jnp.moveaxis(sliced, plan.gathered, front).reshape(prod(lengths), prod(rest))
    taken: jax.Array = take_rows(rows, _flat_positions(positions, lengths, plan.gathered_shape))
    shaped = taken.reshape(*plan.gathered_shape, *rest)
    width = len(plan.gathered_shape)
    return jnp.moveaxis(shaped, range(width), range(plan.position, plan.position + width))


def _sliced(base: jax.Array, plan: IndexPlan) -> jax.Array:
    """Slice every axis; a negative step takes the same entries forwards and turns them round."""
    starts, limits, steps, turned = [], [], [], []
    for axis, (start, step, count) in enumerate(plan.slices):
        last = start + (count - 1) * step
        low, high = (start, last) if step > 0 else (last, start)
        starts.append(low if count else 0)
        limits.append(high + 1 if count else 0)
        steps.append(abs(step))
        if step < 0 and count > 1:
            turned.append(axis)
    result = lax.slice(base, starts, limits, steps)
    return lax.rev(result, turned) if turned else result


def _flat_positions(positions: tuple[Any, ...], lengths: Shape, shape: Shape) -> jax.Array:
    flat: Any = 0
    for position, length in zip(positions, lengths, strict=True):
        flat = flat * length + (position % length if isinstance(position, int) else position)
    return jnp.broadcast_to(jnp.asarray(flat, jnp.int32), shape).reshape(-1)


@jax.custom_vjp
def take_rows(rows: jax.Array, positions: jax.Array) -> jax.Array:
    """Return ``rows[positions]`` for a matrix and a vector of positions that are all within it."""
    return _rows(rows, positions)


def _rows(rows: jax.Array, positions: jax.Array) -> jax.Array:
    return jnp.asarray(rows.at[positions].get(mode="promise_in_bounds"))


def _take_rows_forward(rows: jax.Array, positions: jax.Array) -> tuple[jax.Array, Any]:
    return _rows(rows, positions), (positions, rows.shape[0])


def _take_rows_backward(saved: Any, slope: jax.Array) -> tuple[jax.Array, None]:
    positions, count = saved

    def add_row(i: jax.Array, total: jax.Array) -> jax.Array:
        at = lax.dynamic_index_in_dim(positions, i, keepdims=False)
        row = lax.dynamic_index_in_dim(slope, i) + lax.dynamic_index_in_dim(total, at)
        updated: jax.Array = lax.dynamic_update_index_in_dim(total, row, at, axis=0)
        return updated

    start = jnp.zeros((count, slope.shape[1]), slope.dtype)
    if not positions.shape[0]:
        return start, None
    return lax.fori_loop(0, positions.shape[0], add_row, start), None


take_rows.defvjp(_take_rows_forward, _take_rows_backward)
