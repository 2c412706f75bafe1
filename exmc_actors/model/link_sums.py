"""Compute, in JAX, sums of a link function over many rows, with their slopes.

They are what a likelihood with a linear predictor needs at every gradient.  The rows are taken in tiles by
loops, whose bodies XLA compiles as vectorised pieces, and what two of them need lies in an array: XLA would
compute it twice.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax import lax

from exmc_actors.exponential import exp
from exmc_actors.model.logarithms import log1p_of_fraction

_TILE = 64
_TILES_IN_PRODUCT = 15
"""A product of so many rows, each of them at most 2, is far from infinite."""

Join: TypeAlias = Callable[[jax.Array, jax.Array], jax.Array]
Sum: TypeAlias = Callable[[jax.Array], tuple[jax.Array, jax.Array]]
"""A function that returns the sum of a link over all entries, and its slopes."""


def _with_slopes(compute: Sum) -> Callable[[Any], jax.Array]:
    @jax.custom_vjp
    def total(x: jax.Array) -> jax.Array:
        return compute(x)[0]

    def backward(slopes: jax.Array, cotangent: jax.Array) -> tuple[jax.Array]:
        return (cotangent * slopes,)

    total.defvjp(compute, backward)
    return total


def _softplus_sum(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return the sum of log(1 + exp(x)), which is max(x, 0) + log(1 + exp(-|x|)), and its slopes.

    The logarithms of many rows are one logarithm, that of the product of what stands in them.  What it is
    above 1 is carried, so that nothing is lost of rows that are all but certain.
    """
    if x.shape[0] < 2 * _TILE:
        small = jnp.exp(-jnp.abs(x))
        return jnp.sum(jnp.maximum(x, 0.0) + log1p_of_fraction(small)), _softplus_slope(x, small)
    small = _mapped(lambda x: exp(-jnp.abs(x)), x)
    together = _TILES_IN_PRODUCT if x.dtype == jnp.float64 else 1  # others hold no such product

    def add_tile(i: Any, carry: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        sums, excess, slopes = carry
        here, less, is_new = _tile(x, i), _tile(small, i), _is_new(x, i)
        sums = sums + jnp.where(is_new, jnp.maximum(here, 0.0), 0.0)
        excess = _joined_excess(excess, jnp.where(is_new, less, 0.0))
        return sums, excess, _put(slopes, _softplus_slope(here, less), i)

    def add_tiles(first: Any, count: int, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        total, slopes = carry
        nothing = jnp.zeros(_TILE, x.dtype)
        sums, excess, slopes = lax.fori_loop(
            0, count, lambda i, carry: add_tile(first + i, carry), (nothing, nothing, slopes)
        )
        return total + (_folded(jnp.add, sums) + jnp.log1p(_folded(_joined_excess, excess))), slopes

    # All counts are fixed, so that slopes have slopes, too.
    products, rest = divmod(_count_tiles(x), together)
    made = lax.fori_loop(
        0,
        products,
        lambda product, carry: add_tiles(product * together, together, carry),
        (jnp.zeros((), x.dtype), jnp.zeros_like(x)),
    )
    total, slopes = add_tiles(products * together, rest, made) if rest else made
    return total, slopes


def _softplus_slope(x: jax.Array, small: jax.Array) -> jax.Array:
    return jnp.where(x >= 0.0, 1.0, small) / (1.0 + small)


def _joined_excess(one: jax.Array, other: jax.Array) -> jax.Array:
    """Return (1 + one) (1 + other) - 1."""
    return one + (other + one * other)


def _exp_sum(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    if x.shape[0] < 2 * _TILE:
        values = jnp.exp(x)
        return jnp.sum(values), values
    values = _mapped(exp, x)

    def add_tile(i: Any, sums: jax.Array) -> jax.Array:
        return sums + jnp.where(_is_new(x, i), _tile(values, i), 0.0)

    sums = lax.fori_loop(0, _count_tiles(x), add_tile, jnp.zeros(_TILE, x.dtype))
    return _folded(jnp.add, sums), values


def _mapped(function: Callable[[jax.Array], jax.Array], x: jax.Array) -> jax.Array:
    """Return an array of what a function makes of each entry."""

    def add_tile(i: Any, made: jax.Array) -> jax.Array:
        return _put(made, function(_tile(x, i)), i)

    made: jax.Array = lax.fori_loop(0, _count_tiles(x), add_tile, jnp.zeros_like(x))
    return made


def _count_tiles(rows: jax.Array) -> int:
    return -(-rows.shape[0] // _TILE)


def _first(rows: jax.Array, i: Any) -> jax.Array:
    """Return where a tile begins; the last one ends with the rows, and may begin in the one before."""
    return jnp.minimum(i * _TILE, rows.shape[0] - _TILE)


def _is_new(rows: jax.Array, i: Any) -> jax.Array:
    """Return which entries of a tile are in none before it."""
    is_new: jax.Array = _first(rows, i) + jnp.arange(_TILE) >= i * _TILE
    return is_new


def _tile(rows: jax.Array, i: Any) -> jax.Array:
    return lax.dynamic_slice_in_dim(rows, _first(rows, i), _TILE)


def _put(rows: jax.Array, tile: jax.Array, i: Any) -> jax.Array:
    return lax.dynamic_update_slice_in_dim(rows, tile, _first(rows, i), 0)


def _folded(join: Join, entries: jax.Array) -> jax.Array:
    """Return all entries in one, by joining halves: a power of two of them."""
    while entries.shape[0] > 1:
        half = entries.shape[0] // 2
        entries = join(entries[:half], entries[half:])
    last: jax.Array = entries[0]
    return last


softplus_sum = _with_slopes(_softplus_sum)
"""The sum of log(1 + exp(x)) over the entries of a vector."""
exp_sum = _with_slopes(_exp_sum)
"""The sum of exp(x) over the entries of a vector."""
