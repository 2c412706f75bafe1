"""Compute the probability that a standard normal falls between two bounds, by logarithm, however far out.

Far from zero the density phi(c) at the nearest bound c is taken out: what is left is neither tiny nor the
small difference of two large numbers.  With Mills' ratio R(t) = P(Z > t) / phi(t),

    P(a < Z < b) = phi(a) R(a) (1 - exp(-D)),   D = (b - a)(a + b) / 2 + log R(a) - log R(b),   for a >= 0.
"""

import math
from itertools import zip_longest
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from exmc_actors.model.functions import log1mexp, polynomial

_ROOT_HALF = math.sqrt(0.5)
_ROOT_PI = math.sqrt(math.pi)
_ROOT_HALF_PI = math.sqrt(0.5 * math.pi)
_ROOT_TWO_PI = math.sqrt(2.0 * math.pi)
_FIRST_OF_FRACTION = 5.0
_DEPTH = 24
_NARROW = 0.5
_NEWTON_STEPS = 8
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)


def ndtr(x: Any) -> jax.Array:
    """Return P(Z < x)."""
    return 0.5 * lax.erfc(-x * _ROOT_HALF)


@jax.custom_jvp
def log_ndtr(x: Any) -> jax.Array:
    """Return log P(Z < x), accurate in both tails."""
    return _log_ndtr_and_slope(x)[0]


@log_ndtr.defjvp
def _log_ndtr_jvp(primals: tuple[Any], tangents: tuple[Any]) -> tuple[jax.Array, jax.Array]:
    value, slope = _log_ndtr_and_slope(primals[0])
    return value, slope * tangents[0]


def _log_ndtr_and_slope(x: Any) -> tuple[jax.Array, jax.Array]:
    is_left = x < 0.0
    left, right = jnp.where(is_left, -x, 0.0), jnp.where(is_left, 0.0, x)
    hazard = left + fraction_beyond(left)
    beyond = 0.5 * lax.erfc(right * _ROOT_HALF)
    value = jnp.where(
        is_left, -0.5 * left * left - math.log(_ROOT_TWO_PI) - jnp.log(hazard), jnp.log1p(-beyond)
    )
    return value, jnp.where(is_left, hazard, _density(right) / (1.0 - beyond))


@jax.custom_jvp
def erfcx(x: Any) -> jax.Array:
    """Return exp(x * x) erfc(x), accurate however large ``x`` is."""
    return _erfcx_and_slope(x)[0]


@erfcx.defjvp
def _erfcx_jvp(primals: tuple[Any], tangents: tuple[Any]) -> tuple[jax.Array, jax.Array]:
    value, slope = _erfcx_and_slope(primals[0])
    return value, slope * tangents[0]


def _erfcx_and_slope(x: Any) -> tuple[jax.Array, jax.Array]:
    is_left = x < 0.0
    left, right = jnp.where(is_left, x, 0.0), jnp.where(is_left, 0.0, x)
    beyond = fraction_beyond(right / _ROOT_HALF)
    hazard = right / _ROOT_HALF + beyond
    grown = jnp.exp(left * left) * lax.erfc(left)
    # A slope of infinity would be no number where what it is multiplied by is zero.
    falling = jnp.maximum(2.0 * left * grown - 2.0 / _ROOT_PI, -np.finfo(np.float64).max)
    value = jnp.where(is_left, grown, 1.0 / (_ROOT_HALF_PI * hazard))
    return value, jnp.where(is_left, falling, -2.0 / _ROOT_PI * beyond / hazard)


def nearest_to_zero(a: Any, b: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return the point of ``[a, b]`` nearest to zero, whether it is ``a``, and whether it is ``b``."""
    is_above, is_below = a > 0.0, b < 0.0
    return jnp.where(is_above, a, jnp.where(is_below, b, 0.0)), is_above, is_below


@jax.custom_jvp
def log_probability_beyond_peak(a: Any, b: Any, width: Any) -> jax.Array:
    """Return log P(a < Z < b) + c * c / 2, where c is the point of ``[a, b]`` nearest to zero.

    Args:
      a: the lower bound, or -inf.
      b: the upper bound, or inf.
      width: ``b - a``, computed by the caller from what the bounds were computed from: more accurately.
    """
    return _value_and_pulls(a, b, width)[0]


@log_probability_beyond_peak.defjvp
def _log_probability_jvp(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
    value, at_a, at_b = _value_and_pulls(*primals)
    return value, at_b * tangents[1] - at_a * tangents[0]


@jax.custom_jvp
def log_probability_above_peak(a: Any) -> jax.Array:
    """Return log P(a < Z) + c * c / 2, where c is ``a``, or 0 where that is larger.

    Where there is no upper bound it costs a fraction of what two bounds do.
    """
    return _value_and_pull_above(a)[0]


@log_probability_above_peak.defjvp
def _log_probability_above_jvp(primals: tuple[Any], tangents: tuple[Any]) -> tuple[jax.Array, jax.Array]:
    value, at_a = _value_and_pull_above(primals[0])
    return value, -at_a * tangents[0]


def _value_and_pull_above(a: Any) -> tuple[jax.Array, jax.Array]:
    in_tail = a > 0.0
    beyond = fraction_beyond(jnp.where(in_tail, a, 0.0))
    in_tail_ = -jnp.log(a + beyond) - math.log(_ROOT_TWO_PI), beyond
    low = jnp.where(in_tail, 0.0, a)
    probability = 0.5 * lax.erfc(low * _ROOT_HALF)
    around = jnp.log(probability), _density(low) / probability
    value, pull = (jnp.where(in_tail, *pair) for pair in zip(in_tail_, around, strict=True))
    return value, pull


def pulls(a: Any, b: Any, width: Any) -> tuple[jax.Array, jax.Array]:
    """Return phi(a) / P and phi(b) / P, less what moves c: the slopes of the logarithm in the bounds.

    The mean of a normal between the bounds is c plus the first less the second.
    """
    return _value_and_pulls(a, b, width)[1:]


def draw_between(key: jax.Array, a: Any, b: Any, width: Any, shape: tuple[int, ...]) -> jax.Array:
    """Draw standard normals between the bounds; return how far from c each lies, with its sign."""
    u = jax.random.uniform(key, shape, dtype=float)
    leans_left = a + b < 0.0
    low, high = jnp.where(leans_left, -b, a), jnp.where(leans_left, -a, b)
    in_tail = low > 0.0
    step = jnp.where(
        in_tail, _step_in_tail(u, jnp.where(in_tail, low, 0.0), high, width), _around(u, low, high)
    )
    return jnp.where(leans_left, -step, step)


def _around(u: Any, low: Any, high: Any) -> jax.Array:
    # By the upper tail's probabilities, which are the small ones.
    at_low, at_high = 0.5 * lax.erfc(low * _ROOT_HALF), 0.5 * lax.erfc(high * _ROOT_HALF)
    return -jax.scipy.special.ndtri(at_high + (at_low - at_high) * (1.0 - u))


def _step_in_tail(u: Any, low: Any, high: Any, width: Any) -> jax.Array:
    """Solve P(low < Z < low + step) = u P(low < Z < high) by Newton's method, from above."""
    log_ratio = -jnp.log(low + fraction_beyond(low))
    most = width * (low + 0.5 * width) + log_ratio + jnp.log(high + fraction_beyond(high))
    wanted = -jnp.log1p(u * jnp.expm1(-most))

    def improve(_: int, step: Any) -> Any:
        at = low + step
        hazard = at + fraction_beyond(at)
        return step - (step * (low + 0.5 * step) + log_ratio + jnp.log(hazard) - wanted) / hazard

    step: jax.Array = lax.fori_loop(0, _NEWTON_STEPS, improve, wanted * jnp.exp(log_ratio))
    return step


def _value_and_pulls(a: Any, b: Any, width: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    # By symmetry the interval may be taken to lean to the right.
    leans_left = a + b < 0.0
    low, high = jnp.where(leans_left, -b, a), jnp.where(leans_left, -a, b)
    in_tail = low > 0.0
    at_zero = _around_zero(low, high)
    in_tail_ = _in_tail(jnp.where(in_tail, low, 0.0), high, width)
    value, at_low, at_high = (jnp.where(in_tail, *pair) for pair in zip(in_tail_, at_zero, strict=True))
    return value, jnp.where(leans_left, at_high, at_low), jnp.where(leans_left, at_low, at_high)


def _around_zero(low: Any, high: Any) -> tuple[Any, Any, Any]:
    probability = 0.5 * (lax.erf(high * _ROOT_HALF) - lax.erf(low * _ROOT_HALF))
    return jnp.log(probability), _density(low) / probability, _density(high) / probability


def _in_tail(low: Any, high: Any, width: Any) -> tuple[Any, Any, Any]:
    excess = width * (low + 0.5 * width)
    is_narrow = excess < _NARROW
    # Of two bounds close together the ratios are too alike to subtract: integrate phi(s) / phi(low).
    steps = jnp.where(is_narrow, width, 0.0)[..., None] * (0.5 + 0.5 * _NODES)
    mean = jnp.exp(-steps * (jnp.asarray(low)[..., None] + 0.5 * steps)) @ (0.5 * _WEIGHTS)
    integral = jnp.where(is_narrow, width, 1.0) * mean
    beyond_low, beyond_high = fraction_beyond(low), fraction_beyond(high)
    drop = jnp.where(is_narrow, 1.0, excess + jnp.log(high + beyond_high) - jnp.log(low + beyond_low))
    inverse_ratio = low + beyond_low
    value = jnp.where(is_narrow, jnp.log(integral), log1mexp(drop) - jnp.log(inverse_ratio))
    at_low = jnp.where(is_narrow, 1.0 / integral - low, beyond_low + inverse_ratio / jnp.expm1(drop))
    at_high = jnp.exp(-excess) * (at_low + low)
    return value - math.log(_ROOT_TWO_PI), at_low, at_high


def fraction_beyond(t: Any) -> jax.Array:
    """Return 1 / R(t) - t for ``t`` of at least zero, where R is Mills' ratio.

    From 5 on it is Laplace's continued fraction 1 / (t + 2 / (t + 3 / (t + ...))), cut where the rest is
    below 1e-15 and multiplied out beforehand into a ratio of two polynomials with positive coefficients.
    """
    is_far = t > _FIRST_OF_FRACTION
    near = jnp.where(is_far, 0.0, t)
    by_function = 1.0 / (_ROOT_HALF_PI * jnp.exp(0.5 * near * near) * lax.erfc(near * _ROOT_HALF)) - near
    far = jnp.where(is_far, t, _FIRST_OF_FRACTION)
    u = 1.0 / (far * far)
    by_fraction = polynomial(_ABOVE, u) / (far * polynomial(_BELOW, u))
    return jnp.where(is_far, by_fraction, by_function)


def _convergent() -> tuple[np.ndarray, np.ndarray]:
    """Return both polynomials in u = 1 / t^2 of 1 / (1 + 2u / (1 + 3u / ...)), highest power first."""
    above, below = [1], [1]
    for k in range(_DEPTH, 1, -1):
        # above / below becomes 1 / (1 + k u above / below).
        shifted = [0, *(k * term for term in above)]
        above, below = below, [x + y for x, y in zip_longest(below, shifted, fillvalue=0)]
    return np.array(above[::-1], dtype=float), np.array(below[::-1], dtype=float)


_ABOVE, _BELOW = _convergent()


def _density(z: Any) -> jax.Array:
    return jnp.exp(-0.5 * z * z) / _ROOT_TWO_PI
