"""Compute, in JAX, what is made of many entries at once, with derivatives that are finite where values are.

All of it folds into a native loop, values and derivatives.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

Axis = int | tuple[int, ...] | None


def logsumexp(x: Any, axis: Axis = None) -> jax.Array:
    """Return log(sum(exp(x))) without overflow; -inf, with slopes of zero, for nothing and for -inf alone."""
    largest = lax.stop_gradient(jnp.max(x, axis=axis, keepdims=True, initial=-jnp.inf))
    shift = jnp.where(jnp.isfinite(largest), largest, 0.0)
    total = jnp.sum(jnp.exp(x - shift), axis=axis)
    is_nothing = total == 0.0
    safe = jnp.where(is_nothing, 1.0, total)
    return jnp.where(is_nothing, -jnp.inf, jnp.log(safe) + jnp.squeeze(shift, axis=axis))


@jax.custom_jvp
def logaddexp(a: Any, b: Any) -> jax.Array:
    """Return log(exp(a) + exp(b)) without overflow; -inf where both are."""
    return _logaddexp_and_share(a, b)[0]


@logaddexp.defjvp
def _logaddexp_jvp(primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[jax.Array, jax.Array]:
    value, share = _logaddexp_and_share(*primals)
    return value, share * tangents[0] + (1.0 - share) * tangents[1]


def _logaddexp_and_share(a: Any, b: Any) -> tuple[jax.Array, jax.Array]:
    """Return the value, and the part of the sum that is exp(a)."""
    # Two equal infinities have no difference.
    difference = jnp.where(a == b, 0.0, a - b)
    small = jnp.exp(-jnp.abs(difference))
    share = jnp.where(difference >= 0.0, 1.0, small) / (1.0 + small)
    return jnp.maximum(a, b) + jnp.log1p(small), share


def var(x: Any, axis: Axis = None, ddof: int = 0) -> jax.Array:
    """Return the mean squared distance from the mean, of ``ddof`` entries less than there are."""
    return _squares(x, axis) / (_count(x, axis) - ddof)


def std(x: Any, axis: Axis = None, ddof: int = 0) -> jax.Array:
    """Return the square root of the variance; where it is zero, with slopes of zero.

    There the slopes do not exist, and zero is the mean of those around.
    """
    variance = var(x, axis, ddof)
    safe = jnp.where(variance > 0.0, variance, 1.0)
    return jnp.where(variance > 0.0, jnp.sqrt(safe), jnp.where(variance == 0.0, 0.0, jnp.nan))


def _squares(x: Any, axis: Axis) -> jax.Array:
    distance = x - jnp.mean(x, axis=axis, keepdims=True)
    return jnp.sum(distance * distance, axis=axis)


def _count(x: Any, axis: Axis) -> int:
    return int(jnp.size(x) if axis is None else jnp.size(x, axis))


def cumprod(x: Any, axis: int | None = None) -> jax.Array:
    """Return running products along ``axis``, or of all entries in order for None."""
    if axis is None:
        return _running_product(jnp.ravel(x))
    return jnp.moveaxis(_running_product(jnp.moveaxis(x, axis, 0)), 0, axis)


def _running_product(x: jax.Array) -> jax.Array:
    def step(product: jax.Array, entry: jax.Array) -> tuple[jax.Array, jax.Array]:
        product = product * entry
        return product, product

    return lax.scan(step, jnp.ones(x.shape[1:], x.dtype), x)[1]
