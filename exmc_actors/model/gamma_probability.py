"""Compute the logarithms of a gamma variable's two tails, also where the tails are too small for a float."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy.special import gammainc, gammaincc

from exmc_actors.model.functions import log_both

_FAR = -600.0
"""The logarithm of ``x ** a * exp(-x) / gamma(a)`` below which a tail is left to its continued fraction."""
_DEPTH = 60


def log_gamma_tails(shape: Any, x: Any) -> tuple[jax.Array, jax.Array]:
    """Return log P(X <= x) and log P(X > x), for X gamma with the given shape and rate one."""
    shape, x = jnp.broadcast_arrays(jnp.asarray(shape, float), jnp.asarray(x, float))
    is_inner = (x > 0.0) & (x < jnp.inf)
    inner = jnp.where(is_inner, x, 1.0)
    leading = shape * jnp.log(inner) - inner - lax.lgamma(shape)
    is_far = is_inner & (leading < _FAR)
    is_low, is_high = is_far & (x < shape), is_far & (x >= shape)
    near = jnp.where(is_far, shape, x)
    log_below, log_above = log_both(gammainc(shape, near), gammaincc(shape, near))
    far_below = leading - jnp.log(_fraction_below(shape, jnp.where(is_low, x, 0.5 * shape)))
    far_above = leading - jnp.log(_fraction_above(shape, jnp.where(is_high, x, 2.0 * shape + 1.0)))
    log_below = jnp.where(is_low, far_below, jnp.where(is_high, 0.0, log_below))
    return log_below, jnp.where(is_high, far_above, jnp.where(is_low, 0.0, log_above))


def _fraction_below(a: Any, x: Any) -> jax.Array:
    """Return a - a x / (a + 1 + x / (a + 2 - (a + 1) x / (a + 3 + 2 x / ...))), for x below a."""

    def outwards(step: Any, tail: Any) -> Any:
        k = _DEPTH - step
        return a + 2 * k - 2 - (a + k - 1) * x / (a + 2 * k - 1 + k * x / tail)

    fraction: jax.Array = lax.fori_loop(0, _DEPTH, outwards, a + 2.0 * _DEPTH)
    return fraction


def _fraction_above(a: Any, x: Any) -> jax.Array:
    """Return x + 1 - a - 1 (1 - a) / (x + 3 - a - 2 (2 - a) / (x + 5 - a - ...)), for x above a."""

    def outwards(step: Any, tail: Any) -> Any:
        k = _DEPTH - step
        return x + 2 * k - 1 - a - k * (k - a) / tail

    fraction: jax.Array = lax.fori_loop(0, _DEPTH, outwards, x + 1.0 + 2.0 * _DEPTH - a)
    return fraction
