"""Compute, in JAX, the functions whose own derivative or loop is faster or more accurate than JAX's.

All of them fold into a native loop: no scatter, sort or call out of the compiled code in them or in their
derivatives.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

_LARGEST_UNROLLED_POWER = 64
_STEPS_AT_ONCE = 4
_FIRST_OF_STIRLING = 10.0
_LARGEST_OF_TEN = 1e30
_STIRLING = np.array([1 / 156, -691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12])
_STIRLING_SLOPE = _STIRLING * np.arange(13, 0, -2)
_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)
_FIRST_OF_HANKEL = 50.0
_HANKEL = np.array(
    [math.prod((2 * i - 1) ** 2 / (8 * i) for i in range(1, k + 1)) for k in range(12, -1, -1)], dtype=float
)
_HANKEL_SLOPE = np.polyder(_HANKEL)


@jax.custom_jvp
def softplus(x: jax.Array) -> jax.Array:
    """Return log(1 + exp(x)) without overflow."""
    return jnp.maximum(x, 0.0) + jnp.log1p(jnp.exp(-jnp.abs(x)))


@softplus.defjvp
def _softplus_jvp(primals: tuple[Any], tangents: tuple[Any]) -> tuple[jax.Array, jax.Array]:
    (x,), (tangent,) = primals, tangents
    # One exponential serves the value and the slope: five times as fast as jax.nn.softplus inside a loop.
    small = jnp.exp(-jnp.abs(x))
    value = jnp.maximum(x, 0.0) + jnp.log1p(small)
    slope = jnp.where(x >= 0.0, 1.0, small) / (1.0 + small)
    return value, slope * tangent


@jax.custom_jvp
def log1mexp(x: Any) -> jax.Array:
    """Return log(1 - exp(-x)) for positive ``x``, accurate for small and for large ones."""
    return jnp.where(x < math.log(2.0), jnp.log(-jnp.expm1(-x)), jnp.log1p(-jnp.exp(-x)))


@log1mexp.defjvp
def _log1mexp_jvp(primals: tuple[Any], tangents: tuple[Any]) -> tuple[jax.Array, jax.Array]:
    (x,), (tangent,) = primals, tangents
    return log1mexp(x), tangent / jnp.expm1(x)


@jax.custom_jvp
def times_log(count: Any, p: Any) -> jax.Array:
    """Return ``count * log(p)``, which is 0 where both are 0; ``count`` is data and has no derivative."""
    return jnp.where(count == 0, 0.0, count * jnp.log(p))


@times_log.defjvp
def _times_log_jvp(primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[jax.Array, jax.Array]:
    count, p = primals
    return times_log(count, p), jnp.where(count == 0, 0.0, count * jnp.reciprocal(p)) * tangents[1]


@jax.custom_jvp
def times_log1m(count: Any, p: Any) -> jax.Array:
    """Return ``count * log(1 - p)``, which is 0 where ``count`` is; it is data and has no derivative."""
    return jnp.where(count == 0, 0.0, count * jnp.log1p(-p))


@times_log1m.defjvp
def _times_log1m_jvp(primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[jax.Array, jax.Array]:
    count, p = primals
    return times_log1m(count, p), jnp.where(count == 0, 0.0, -count * jnp.reciprocal(1.0 - p)) * tangents[1]


@jax.custom_jvp
def times_log_share(count: Any, part: Any, rest: Any) -> jax.Array:
    """Return ``count * log(part / (part + rest))``, 0 where ``count`` is; it is data, without derivative."""
    return jnp.where(count == 0, 0.0, -count * jnp.log1p(jnp.divide(rest, part)))


@times_log_share.defjvp
def _times_log_share_jvp(
    primals: tuple[Any, Any, Any], tangents: tuple[Any, Any, Any]
) -> tuple[jax.Array, jax.Array]:
    count, part, rest = primals
    whole = part + rest
    of_part = jnp.where(count == 0, 0.0, (rest / whole) * jnp.divide(count, part))
    slope = of_part * tangents[1] - (count / whole) * tangents[2]
    return times_log_share(count, part, rest), slope


def log_both(below: Any, above: Any) -> tuple[jax.Array, jax.Array]:
    """Return the logarithms of two tails; that of the larger one by the smaller, which has more digits."""
    less = below < above
    log_below = jnp.where(less, jnp.log(jnp.where(less, below, 1.0)), jnp.log1p(-jnp.where(less, 0.5, above)))
    log_above = jnp.where(less, jnp.log1p(-jnp.where(less, below, 0.5)), jnp.log(jnp.where(less, 1.0, above)))
    return log_below, log_above


def logit(p: jax.Array) -> jax.Array:
    """Return log(p / (1 - p)), accurate for small p."""
    return jnp.log(p) - jnp.log1p(-p)


def log_beta(a: Any, b: Any) -> jax.Array:
    """Return the logarithm of the beta function, accurate however large ``a`` and ``b`` are."""
    less, more = jnp.minimum(a, b), jnp.maximum(a, b)
    total = less + more
    plain = lax.lgamma(less) + lax.lgamma(more) - lax.lgamma(total)
    # Of two large and nearly equal log gammas, Stirling's formula subtracts the leading terms by hand.
    large = _at_least(_FIRST_OF_STIRLING, more)
    sum_large = less + large
    fraction = jnp.log1p(less / large)
    beyond = _stirling_rest(large) - _stirling_rest(sum_large) - (large - 0.5) * fraction
    one_large = lax.lgamma(less) + beyond - less * jnp.log(sum_large) + less
    both = _at_least(_FIRST_OF_STIRLING, less)
    both_large = (
        _stirling_rest(both)
        + beyond
        + (_HALF_LOG_TWO_PI - 0.5 * jnp.log(both))
        - both * jnp.log1p(large / both)
    )
    small = more < _FIRST_OF_STIRLING
    return jnp.where(small, plain, jnp.where(less < _FIRST_OF_STIRLING, one_large, both_large))


def polynomial(coefficients: Any, x: Any) -> Any:
    """Return the polynomial by Horner's rule, from the coefficient of the highest power down."""
    value = jnp.zeros_like(x)
    for coefficient in coefficients:
        value = value * x + coefficient
    return value


def _at_least(bound: float, x: Any) -> jax.Array:
    """Return ``x``, or the bound where that is larger.

    At the bound itself the slope is one, where that of ``jnp.maximum`` is one half.
    """
    return jnp.where(x < bound, bound, x)


def _stirling_rest(x: Any) -> jax.Array:
    """Return lgamma(x) - ((x - 1/2) log x - x + log(2 pi) / 2), for x of at least 10.

    Truncated, the series is wrong by less than its next term: 3e-17 at 10.
    """
    y = 1.0 / (x * x)
    rest: jax.Array = polynomial(_STIRLING, y) / x
    return rest


def _stirling_rest_slope(x: Any) -> jax.Array:
    """Return the derivative of the rest."""
    y = 1.0 / (x * x)
    slope: jax.Array = -polynomial(_STIRLING_SLOPE, y) * y
    return slope


@jax.custom_jvp
def log_rising(x: Any, n: Any) -> jax.Array:
    """Return lgamma(x + n) - lgamma(x), which for a whole ``n`` is log(x (x + 1) ... (x + n - 1)).

    It is accurate where the two are large and nearly equal; ``n`` is data, and has no derivative.
    """
    # Ten steps up, Stirling's formula holds for any x: a third of the time of a log gamma.
    high, total = x + _FIRST_OF_STIRLING, x + _FIRST_OF_STIRLING + n
    rest = _stirling_rest(total) - _stirling_rest(high)
    above = rest + (total - 0.5) * jnp.log1p(n / high) + n * jnp.log(high) - n
    value: jax.Array = above + jnp.log(_ten_steps(x)[0]) - jnp.log(_ten_steps(x + n)[0])
    return value


@log_rising.defjvp
def _log_rising_jvp(primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[jax.Array, jax.Array]:
    x, n = primals
    high, total = x + _FIRST_OF_STIRLING, x + _FIRST_OF_STIRLING + n
    # Differentiating the formula above would subtract n / x from itself.
    rest = _stirling_rest_slope(total) - _stirling_rest_slope(high)
    above = jnp.log1p(n / high) + 0.5 * n / (high * total) + rest
    (low, low_slope), (top, top_slope) = _ten_steps(x), _ten_steps(x + n)
    return log_rising(x, n), (above + low_slope / low - top_slope / top) * tangents[0]


def _ten_steps(x: Any) -> tuple[Any, Any]:
    """Return x (x + 1) ... (x + 9) and its derivative, as if ``x`` were no larger than 1e30."""
    bounded = jnp.minimum(x, _LARGEST_OF_TEN)
    product, slope = bounded, jnp.ones_like(bounded)
    for step in range(1, 10):
        slope = slope * (bounded + step) + product
        product = product * (bounded + step)
    return product, slope


def log_choose(n: Any, k: Any) -> jax.Array:
    """Return the logarithm of the number of ways to choose ``k`` of ``n``."""
    n, k = jnp.asarray(n, dtype=float), jnp.asarray(k, dtype=float)
    return -log_beta(n - k + 1.0, k + 1.0) - jnp.log(n + 1.0)


@jax.custom_jvp
def log_bessel_i0e(x: Any) -> jax.Array:
    """Return log(I0(x)) - x for ``x`` of at least zero, where I0 is the modified Bessel function."""
    return _log_bessel_and_slope(x)[0]


@log_bessel_i0e.defjvp
def _log_bessel_i0e_jvp(primals: tuple[Any], tangents: tuple[Any]) -> tuple[jax.Array, jax.Array]:
    value, slope = _log_bessel_and_slope(primals[0])
    return value, slope * tangents[0]


def _log_bessel_and_slope(x: Any) -> tuple[jax.Array, jax.Array]:
    is_large = x > _FIRST_OF_HANKEL
    small = jnp.where(is_large, 0.0, x)
    i0, i1 = lax.bessel_i0e(small), lax.bessel_i1e(small)
    # The ratio of the two nears one; Hankel's expansion, cut where terms are below 1e-15, has the rest.
    large = jnp.where(is_large, x, _FIRST_OF_HANKEL)
    y = 1.0 / large
    series = polynomial(_HANKEL, y)
    slope = -y * (0.5 + y * polynomial(_HANKEL_SLOPE, y) / series)
    value = jnp.log(series) - 0.5 * jnp.log(2.0 * math.pi * large)
    return jnp.where(is_large, value, jnp.log(i0)), jnp.where(is_large, slope, (i1 - i0) / i0)


def at_position(values: Any, position: Any) -> jax.Array:
    """Return the entry of ``values`` at a position along the last axis, and 0 where there is none.

    It is picked by comparison: a gather would have a scatter for a derivative, which does not fold.
    """
    positions = jnp.arange(values.shape[-1])
    return jnp.sum(jnp.where(jnp.asarray(position)[..., None] == positions, values, 0.0), axis=-1)


def power(base: Any, exponent: Any) -> Any:
    """Return ``base ** exponent``, by multiplication where the exponent is a small whole number."""
    if isinstance(exponent, float) and exponent.is_integer() and abs(exponent) <= _LARGEST_UNROLLED_POWER:
        return base ** int(exponent)
    # JAX has no slope of 0 ** 0.
    return jnp.power(jnp.where((base == 0.0) & (exponent == 0.0), 1.0, base), exponent)


def cumsum(x: jax.Array, axis: int | None = None) -> jax.Array:
    """Return running sums along ``axis``, or of all entries in order for None."""
    if axis is None:
        total: jax.Array = _running_sum(jnp.ravel(x))
        return total
    return jnp.moveaxis(_running_sum(jnp.moveaxis(x, axis, 0)), 0, axis)


@jax.custom_vjp
def _running_sum(x: jax.Array) -> jax.Array:
    return _sweep(x, reverse=False)


def _running_sum_forward(x: jax.Array) -> tuple[jax.Array, None]:
    return _sweep(x, reverse=False), None


def _running_sum_backward(_: None, slope: jax.Array) -> tuple[jax.Array]:
    return (_sweep(slope, reverse=True),)


# Differentiating the loop itself would keep every carry.
_running_sum.defvjp(_running_sum_forward, _running_sum_backward)


def _sweep(x: jax.Array, *, reverse: bool) -> jax.Array:
    """Add up along the first axis, from the first entry or from the last."""
    count = x.shape[0]

    def step(number: Any, carried: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        total, sums = carried
        at = count - 1 - number if reverse else number
        total = total + lax.dynamic_index_in_dim(x, at, keepdims=False)
        return total, lax.dynamic_update_index_in_dim(sums, total, at, 0)

    def steps(block: Any, carried: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        # What a loop carries goes through memory, which takes as long as an addition: so, once for several.
        for number in range(_STEPS_AT_ONCE):
            carried = step(block * _STEPS_AT_ONCE + number, carried)
        return carried

    carried = jnp.zeros(x.shape[1:], x.dtype), jnp.zeros_like(x)
    blocks = count // _STEPS_AT_ONCE
    if blocks:
        carried = lax.fori_loop(0, blocks, steps, carried)
    for number in range(blocks * _STEPS_AT_ONCE, count):
        carried = step(number, carried)
    return carried[1]
