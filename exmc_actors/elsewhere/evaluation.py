"""Take positions in a jaxpr as the compiler takes them; all else stays as it is.

JAX's derivative of ``x[positions]`` is a scatter, which keeps XLA from folding a loop into one kernel.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from exmc_actors.compiler import computed, take_rows


def taking_rows(equation: Any, inputs: Sequence[Any]) -> Sequence[Any]:
    """Return the outputs of an equation, a gather of rows by the compiler's own: a rule for ``evaluate``."""
    if equation.primitive.name == "gather" and _takes_rows(equation, *inputs):
        return [_rows(equation.params, *inputs)]
    return computed(equation, inputs)


def _takes_rows(equation: Any, base: Any, positions: Any) -> bool:
    """Say whether a gather is ``base[positions]`` for an array of positions along the first axis."""
    numbers, sizes = equation.params["dimension_numbers"], equation.params["slice_sizes"]
    width = jnp.ndim(positions) - 1
    return (
        jnp.issubdtype(base.dtype, jnp.floating)
        and numbers.start_index_map == numbers.collapsed_slice_dims == (0,)
        and numbers.operand_batching_dims == ()
        and numbers.offset_dims == tuple(range(width, width + base.ndim - 1))
        and tuple(sizes) == (1, *base.shape[1:])
        and base.shape[0] > 0
        and jnp.shape(positions)[-1] == 1
        and equation.params["fill_value"] is None
    )


def _rows(parameters: Any, base: jax.Array, positions: Any) -> jax.Array:
    base, rest = jnp.asarray(base), base.shape[1:]
    at = jnp.asarray(positions)[..., 0]
    inside = jnp.clip(at, 0, base.shape[0] - 1)
    taken = take_rows(base.reshape(base.shape[0], prod(rest)), inside.reshape(-1).astype(jnp.int32))
    rows = taken.reshape(*at.shape, *rest)
    if parameters["mode"] != lax.GatherScatterMode.FILL_OR_DROP:
        return rows
    is_inside = (at == inside).reshape(*at.shape, *(1 for _ in rest))
    return jnp.where(is_inside, rows, jnp.nan)
