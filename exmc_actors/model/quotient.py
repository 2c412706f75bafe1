"""Divide by a scale, in JAX, with one division for the value and both slopes; zero is not looked for."""

from typing import Any

import jax


def over(distance: Any, scale: Any) -> Any:
    """Return ``distance / scale``, up to two roundings."""
    # A number has no slope, and its inverse is known.
    return distance * (1.0 / scale) if isinstance(scale, float) else _over(distance, scale)


@jax.custom_jvp
def _over(distance: Any, scale: Any) -> jax.Array:
    result: jax.Array = distance * (1.0 / scale)
    return result


@_over.defjvp
def _over_jvp(primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[jax.Array, jax.Array]:
    distance, scale = primals
    # JAX's own slope divides once more, by the square of the scale, which is zero or infinite for a scale of
    # 1e-162 or 1e155.
    part = 1.0 / scale
    quotient = distance * part
    return quotient, part * tangents[0] - quotient * (part * tangents[1])
