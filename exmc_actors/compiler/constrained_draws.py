"""Draw vectors that a transform constrains from the distribution of their entries: exactly, or not at all."""

from typing import Any

import jax
import jax.numpy as jnp

from exmc_actors.errors import ModelError
from exmc_actors.model import Distribution, Flat, Normal, Shape, Transform
from exmc_actors.model.transforms import Ordered, UnitVector, ZeroSum


def constrained_draw(
    transform: Transform | None, distribution: Distribution, key: jax.Array, shape: Shape
) -> jax.Array:
    """Return an array whose vectors along the last axis are as the transform says.

    Args:
      transform: one that says what values are, or any other: then nothing is asked of them.
      distribution: with arrays for parameters.
      key: of the random numbers.
      shape: of the array.

    Raises:
      ModelError: where such draws are not known, or the distribution is improper.
    """
    match transform:
        case Ordered() if distribution.support.event_ndim == 0:
            return _increasing(distribution, key, shape)
        case ZeroSum():
            return _adding_up_to_zero(distribution, key, shape)
        case UnitVector():
            return _of_length_one(distribution, key, shape)
    return distribution.sample(key, shape)


def _increasing(distribution: Distribution, key: jax.Array, shape: Shape) -> jax.Array:
    """Return sorted draws: of independent entries of one distribution, each order is equally likely."""
    least = _least_shape(distribution)
    if distribution.event_ndim or (least and least[-1] != 1):
        raise ModelError(
            "increasing values with different priors, or with one of whole vectors, cannot be drawn from it: "
            "give all entries one prior, such as Normal(0.0, 3.0), or do without draws from the prior."
        )
    return jnp.sort(distribution.sample(key, shape), axis=-1)


def _least_shape(distribution: Distribution) -> Shape:
    shapes = {name: jnp.shape(value) for name, value in distribution.parameters.items()}
    return distribution.value_shape(shapes, [_least_shape(part) for part in distribution.parts])


def _adding_up_to_zero(distribution: Distribution, key: jax.Array, shape: Shape) -> jax.Array:
    """Return normal draws less their sum, which each entry bears by its share of the variance."""
    if not isinstance(distribution, Normal):
        raise ModelError(
            f"values that add up to zero can be drawn from a Normal prior only, and this is a "
            f"{type(distribution).__name__}: take Normal, or do without draws from the prior."
        )
    drawn = distribution.sample(key, shape)
    sigma = jnp.broadcast_to(jnp.asarray(distribution.sigma, float), shape)
    squares = jnp.square(sigma / jnp.max(jnp.abs(sigma), axis=-1, keepdims=True))
    shares = squares / jnp.sum(squares, axis=-1, keepdims=True)
    return drawn - shares * jnp.sum(drawn, axis=-1, keepdims=True)


def _of_length_one(distribution: Distribution, key: jax.Array, shape: Shape) -> jax.Array:
    """Return uniform directions, which priors have that are the same in all of them."""
    if not isinstance(distribution, Flat) and not (
        isinstance(distribution, Normal)
        and _is_zero(distribution.mu)
        and isinstance(distribution.sigma, float)
    ):
        raise ModelError(
            "vectors of length one can be drawn only if all directions are alike, as by Flat(), or by "
            "Normal(0.0, 1.0) with numbers for parameters: take one of these, or do without draws from the "
            "prior."
        )
    drawn = jax.random.normal(key, shape)
    return jnp.asarray(drawn / jnp.linalg.norm(drawn, axis=-1, keepdims=True))


def _is_zero(mu: Any) -> bool:
    return isinstance(mu, float) and mu == 0.0
