"""Compute, in JAX, sums of a link function over many rows, with value and slope in one pass.

They are what a likelihood with a linear predictor needs at every gradient.  The rows are taken in tiles by
a loop, whose body XLA compiles as one vectorised piece; in one expression it would compute the exponential
anew for the sum, by other and slower instructions.  Measured for 5,000 rows: 25 us a value and gradient
against 55, and 38 with JAX's own ``log1p``.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax import lax

from exmc_actors.model.logarithms import log1p_of_fraction

_TILE = 128

Link: TypeAlias = Callable[[jax.Array], tuple[jax.Array, jax.Array]]
"""A function that returns its value and its slope, entry by entry."""


def _softplus(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    small = jnp.exp(-jnp.abs(x))
    value = jnp.maximum(x, 0.0) + log1p_of_fraction(small)
    return value, jnp.where(x >= 0.0, 1.0, small) / (1.0 + small)


def _exp(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    value = jnp.exp(x)
    return value, value


def _summed(link: Link) -> Callable[[Any], jax.Array]:
    @jax.custom_vjp
    def total(x: jax.Array) -> jax.Array:
        return _sum_and_slopes(link, x)[0]

    def forward(x: jax.Array) -> tuple[jax.Array, jax.Array]:
        return _sum_and_slopes(link, x)

    def backward(slopes: jax.Array, cotangent: jax.Array) -> tuple[jax.Array]:
        return (cotangent * slopes,)

    total.defvjp(forward, backward)
    return total


def _sum_and_slopes(link: Link, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    tiles = x.shape[0] // _TILE
    if tiles < 2:
        values, slopes = link(x)
        return jnp.sum(values), slopes

    def add_tile(i: Any, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        totals, slopes = carry
        value, slope = link(lax.dynamic_slice_in_dim(x, i * _TILE, _TILE))
        return totals + value, lax.dynamic_update_slice_in_dim(slopes, slope, i * _TILE, 0)

    start = jnp.zeros(_TILE, x.dtype), jnp.zeros_like(x)
    totals, slopes = lax.fori_loop(0, tiles, add_tile, start)
    if x.shape[0] % _TILE == 0:
        return jnp.sum(totals), slopes
    value, slope = link(x[tiles * _TILE :])
    return jnp.sum(totals) + jnp.sum(value), lax.dynamic_update_slice_in_dim(slopes, slope, tiles * _TILE, 0)


softplus_sum = _summed(_softplus)
"""The sum of log(1 + exp(x)) over the entries of a vector."""
exp_sum = _summed(_exp)
"""The sum of exp(x) over the entries of a vector."""
