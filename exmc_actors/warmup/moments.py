"""Accumulate means and variances of positions and gradients; forms no metric.

References:
  Welford (1962), *Note on a method for calculating corrected sums of squares and products*.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array


class Moments(NamedTuple):
    """Running moments of (position, gradient) pairs."""

    pairs: Array
    """How many."""
    mean: Array
    """Shape (2, d): of the positions, of the gradients."""
    squares: Array
    """Shape (2, d): sums of squared deviations from the mean."""


def empty(dim: int) -> Moments:
    """Return the moments of no pairs at all."""
    return Moments(jnp.zeros(()), jnp.zeros((2, dim)), jnp.zeros((2, dim)))


def add(moments: Moments, pair: Array, counts: Array) -> Moments:
    """Take in one pair, shape (2, d), where ``counts`` is true; return the same moments otherwise."""
    pairs = moments.pairs + 1.0
    deviation = pair - moments.mean
    mean = moments.mean + deviation / pairs
    added = Moments(pairs, mean, moments.squares + deviation * (pair - mean))
    return Moments(*(jnp.where(counts, new, old) for new, old in zip(added, moments, strict=True)))
