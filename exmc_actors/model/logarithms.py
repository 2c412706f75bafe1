"""Compute, in JAX, log(1 + x^2) and its slope by plain arithmetic, several entries at once.

What is behind ``jnp.log1p`` is called entry by entry inside a folded loop: 100 rows of Student's t took
0.6 us more, of 2.9.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

_SQUARE_IS_LARGE = 1e150
_MANTISSA_BITS = 52
_SQRT_HALF = np.sqrt(0.5).view(np.int64)
# log 2 in two parts, the first with zeros at its end, so that its multiples are exact.
_LOG_TWO, _LOG_TWO_REST = 6.93147180369123816490e-01, 1.90821492927058770002e-10
# (log(1 + f) - 2 s) / s as a polynomial in s^2, where s = f / (2 + f): Remez, wrong by less than 2^-58.45.
_REMEZ = (
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
    1.818357216161805012e-01,
    1.531383769920937332e-01,
    1.479819860511658591e-01,
)


@jax.custom_jvp
def log1p_square(x: Any) -> jax.Array:
    """Return log(1 + x * x), for any x: where the square is infinite, too."""
    return _value_and_slope(x)[0]


@log1p_square.defjvp
def _log1p_square_jvp(primals: tuple[Any], tangents: tuple[Any]) -> tuple[jax.Array, jax.Array]:
    value, slope = _value_and_slope(primals[0])
    return value, slope * tangents[0]


def _value_and_slope(x: Any) -> tuple[jax.Array, jax.Array]:
    x = jnp.asarray(x, float)
    distance = jnp.abs(x)
    is_far = distance > _SQUARE_IS_LARGE
    w = jnp.where(is_far, distance, x * x)
    whole = 1.0 + w
    part = 1.0 / whole
    # What rounding took from 1 + w, relative to it.
    lost = jnp.where(w < 1.0, w - (whole - 1.0), 1.0 - (whole - w)) * part
    # The bits are those of a double; in single precision nothing here is worth the trouble.
    logarithm = _log(whole, lost) if whole.dtype == jnp.float64 else jnp.log1p(w)
    value = jnp.where(is_far, 2.0, 1.0) * logarithm
    return jnp.where(w < jnp.inf, value, w), 2.0 * jnp.where(is_far, jnp.sign(x), x) * part


def _log(u: jax.Array, lost: jax.Array) -> jax.Array:
    """Return log(u + u lost) for u from 1 on.

    References:
      Sun Microsystems (1993), *FDLIBM*, ``s_log1p.c``: the reduction and the polynomial.
    """
    bits = lax.bitcast_convert_type(u, jnp.int64)
    exponent = (bits - _SQRT_HALF) >> _MANTISSA_BITS
    f = lax.bitcast_convert_type(bits - (exponent << _MANTISSA_BITS), u.dtype) - 1.0
    k, s = exponent.astype(u.dtype), f / (2.0 + f)
    z = s * s
    tail = jnp.full_like(z, _REMEZ[-1])
    for coefficient in _REMEZ[-2::-1]:
        tail = tail * z + coefficient
    half_square = 0.5 * f * f
    correction = s * (half_square + tail * z) + (k * _LOG_TWO_REST + lost)
    logarithm: jax.Array = k * _LOG_TWO - ((half_square - correction) - f)
    return logarithm
