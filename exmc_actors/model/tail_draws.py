"""Draw from what of a distribution lies between two bounds, however little that is, by its two tails."""

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.distributions.poisson import Poisson
from exmc_actors.model.support_algebra import ends
from exmc_actors.model.tails import Tails, log_tails

_LAST_COUNT = 2.0**53
"""Beyond it, floating-point numbers are no longer told from the next count."""

Reached: TypeAlias = Callable[[jax.Array], jax.Array]


def draw_within(key: jax.Array, distribution: Distribution, lower: Any, upper: Any, shape: Any) -> jax.Array:
    """Draw independent values of a distribution, given that they lie from ``lower`` to ``upper``.

    Each is the inverse of the smaller tail at a uniform share of what lies between, so that draws far from
    where the distribution has its mass are as good as any; of a Poisson distribution, only where one draw of
    all of it lies beyond the bounds.  Where nothing lies between, they mean nothing.

    Args:
      key: of the random numbers.
      distribution: one whose tails are known.
      lower: the least value; None for no bound.
      upper: the greatest value; None for no bound.
      shape: of the draws, to which parameters and bounds stretch.
    """
    share = jax.random.uniform(key, shape, dtype=float)
    at_lower, at_upper = _outer_tails(distribution, lower, upper)
    below, above = (
        jnp.logaddexp(one + jnp.log1p(-share), other + jnp.log(share))
        for one, other in zip(at_lower, at_upper, strict=True)
    )

    def is_reached(x: jax.Array) -> jax.Array:
        to_x, from_x = log_tails(distribution, x)
        return jnp.where(below < above, ~(to_x < below), ~(from_x > above))

    low, high = (jnp.broadcast_to(end, shape) for end in _ends(distribution, lower, upper))
    if isinstance(distribution, Poisson):
        return _first_unless_tried(jax.random.fold_in(key, 1), distribution, is_reached, low, high)
    find = _first_count if distribution.is_discrete else _first_float
    return find(is_reached, low, high)


def _first_unless_tried(
    key: jax.Array, distribution: Distribution, is_reached: Reached, low: jax.Array, high: jax.Array
) -> jax.Array:
    """Return a draw of the whole distribution where it lies within the ends, else the least count reached.

    Both are draws of what lies within, so their mixture is.  The tails of large counts are sums of so many
    terms as a few roots of the count, a billion for some that wide priors lead to: these mostly lie within.
    """
    tried = distribution.sample(key, low.shape).astype(low.dtype)
    is_within = (tried >= low) & (tried <= high)
    # Nothing is to be found from zero to zero, where tails are quickly computed.
    least = _first_count(is_reached, jnp.where(is_within, 0.0, low), jnp.where(is_within, 0.0, high))
    return jnp.where(is_within, tried, least)


def _outer_tails(distribution: Distribution, lower: Any, upper: Any) -> tuple[Tails, Tails]:
    """Return both tails just below the lower bound, and both at the upper one."""
    nothing, everything = jnp.asarray(-jnp.inf), jnp.asarray(0.0)
    at_lower, at_upper = (nothing, everything), (everything, nothing)
    if lower is not None:
        at_lower = log_tails(distribution, jnp.ceil(lower) - 1.0 if distribution.is_discrete else lower)
    if upper is not None:
        at_upper = log_tails(distribution, upper)
    return at_lower, at_upper


def _ends(distribution: Distribution, lower: Any, upper: Any) -> tuple[jax.Array, jax.Array]:
    """Return the least and the greatest finite value that may be drawn."""
    most = float(np.finfo(jnp.zeros((), float).dtype).max)
    low, high = (jnp.asarray(sign * most) for sign in (-1.0, 1.0))
    first, last = ends(distribution.support)
    for bound in (first, lower):
        low = low if bound is None else jnp.maximum(low, bound)
    for bound in (last, upper):
        high = high if bound is None else jnp.minimum(high, bound)
    return (jnp.ceil(low), jnp.floor(high)) if distribution.is_discrete else (low, high)


def _first_count(is_reached: Reached, low: jax.Array, high: jax.Array) -> jax.Array:
    """Return the least whole number from ``low`` to ``high`` from which on a condition holds, or ``high``.

    The number is first hemmed in by steps that double: tails of counts far beyond it may take forever.
    """

    def farther(state: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
        first, last, _ = state
        is_hemmed = is_reached(last) | (last >= high) | (last >= _LAST_COUNT)
        beyond = jnp.minimum(2.0 * last - low + 1.0, high)
        return jnp.where(is_hemmed, first, last + 1.0), jnp.where(is_hemmed, last, beyond), ~is_hemmed

    def halved(both: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        first, last = both
        middle = first + jnp.floor(0.5 * (last - first))
        reached = is_reached(middle)
        return jnp.where(reached, first, middle + 1.0), jnp.where(reached, middle, last)

    def is_open(both: tuple[jax.Array, jax.Array]) -> jax.Array:
        return jnp.any((both[0] < both[1]) & (both[1] <= _LAST_COUNT))

    first, last, _ = lax.while_loop(lambda s: jnp.any(s[2]), farther, (low, low, jnp.ones(low.shape, bool)))
    least: jax.Array = lax.while_loop(is_open, halved, (first, last))[1]
    return least


def _first_float(is_reached: Reached, low: jax.Array, high: jax.Array) -> jax.Array:
    """Return the least number from ``low`` to ``high`` from which on a condition holds, or ``high``.

    Bisected are the floating-point numbers in their order, not the line: so many rounds as a number has bits
    find the very one, whatever its size.
    """

    def halved(_: Any, both: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        first, last = both
        middle = (first & last) + ((first ^ last) >> 1)  # their sum may be no integer of this width
        reached = is_reached(_float_at(middle, low.dtype))
        return jnp.where(reached, first, middle + 1), jnp.where(reached, middle, last)

    start = (_place_of(low), _place_of(high))
    last: jax.Array = lax.fori_loop(0, np.finfo(low.dtype).bits, halved, start)[1]
    return _float_at(last, low.dtype)


def _place_of(x: jax.Array) -> jax.Array:
    """Return the place of a number among all floating-point numbers, counted from zero."""
    bits = lax.bitcast_convert_type(x, jnp.int64 if np.finfo(x.dtype).bits == 64 else jnp.int32)
    return jnp.where(bits < 0, int(np.iinfo(bits.dtype).min) - bits, bits)


def _float_at(place: jax.Array, dtype: Any) -> jax.Array:
    bits = jnp.where(place < 0, int(np.iinfo(place.dtype).min) - place, place)
    return lax.bitcast_convert_type(bits, dtype)
