"""Draw from Poisson distributions of any rate, in the precision of the rate."""

import math
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax import lax

_LARGEST_IN_SINGLE = 1e4
"""JAX draws in single precision: that moves the odds of a count by 1 % here, and leaves gaps from 1e7 on."""
_LARGEST = 2.0**63
_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)

_State: TypeAlias = tuple[jax.Array, jax.Array, jax.Array, jax.Array]


def draw_poisson(key: jax.Array, rate: Any, shape: tuple[int, ...]) -> jax.Array:
    """Draw independent counts; those beyond the largest integer are that integer.

    Args:
      key: of the random numbers.
      rate: of any size; it stretches to ``shape``.
      shape: of the draws.
    """
    rate = jnp.broadcast_to(jnp.asarray(rate, dtype=float), shape)
    is_large = rate > _LARGEST_IN_SINGLE
    few = jax.random.poisson(key, jnp.where(is_large, 0.0, rate), shape)
    many = _draw_many(jax.random.fold_in(key, 1), rate, is_large)
    return jnp.where(is_large, many.astype(few.dtype), few)


def _draw_many(key: jax.Array, rate: jax.Array, is_large: jax.Array) -> jax.Array:
    """Return counts where the rate is large, by transformed rejection.

    Reference:
      Hörmann (1993), *The transformed rejection method for generating Poisson random variables*.
    """
    rate = jnp.where(is_large, jnp.minimum(rate, _LARGEST), _LARGEST_IN_SINGLE)
    b = 0.931 + 2.53 * jnp.sqrt(rate)
    a = -0.059 + 0.02483 * b
    most = 1.1239 + 1.1328 / (b - 3.4)

    def tried_again(state: _State) -> _State:
        key, drawn, is_open, _ = state
        key, of_round = jax.random.split(key)
        place, height = jax.random.uniform(of_round, (2, *rate.shape), rate.dtype)
        place = place - 0.5
        room = 0.5 - jnp.abs(place)
        count = jnp.floor((2.0 * a / room + b) * place + rate + 0.43)
        log_height = jnp.log(height * most / (a / (room * room) + b))
        is_taken = is_open & (log_height <= _log_probability(count, rate))
        is_open = is_open & ~is_taken
        return key, jnp.where(is_taken, count, drawn), is_open, jnp.any(is_open)

    return lax.while_loop(lambda state: state[3], tried_again, (key, rate, is_large, jnp.any(is_large)))[1]


def _log_probability(count: jax.Array, rate: jax.Array) -> jax.Array:
    """Return the log probability of a count where the rate is large: NaN for one that is not positive.

    Terms of the size of the count would round away what tells it from the next, so it is written by its
    relative distance from the rate, and the factorial by Stirling's series.
    """
    apart = (count - rate) / rate
    distance = rate * ((1.0 + apart) * jnp.log1p(apart) - apart)
    return -distance - _HALF_LOG_TWO_PI - 0.5 * jnp.log(count) - 1.0 / (12.0 * count)
