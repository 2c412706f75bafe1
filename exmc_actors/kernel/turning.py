"""Say when a trajectory has begun to turn back on itself; sees momenta in whitened coordinates."""

from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array, lax


def is_turning(
    first: Array, inner_left: Array, total_left: Array, inner_right: Array, last: Array, total_right: Array
) -> Array:
    """Apply the generalised U-turn criterion to a stretch of a trajectory, and across its two halves.

    The stretch is checked as a whole, and each half of it together with the nearest leaf of the other half.
    Without the latter two checks a trajectory that turns just between its halves goes unnoticed and doubles
    once more (Stan, pull request 2800).  They must be made at every merge or at none: made at the top
    alone, a trajectory could be reached from one of its points and not from another.

    Args:
      first: momentum at the outer end of the left half, shape (d,).
      inner_left: momentum at its inner end.
      total_left: sum of the momenta of its leaves.
      inner_right: momentum at the inner end of the right half.
      last: momentum at its outer end.
      total_right: sum of the momenta of its leaves.

    Returns:
      A boolean scalar; NaN momenta count as turning.

    References:
      Betancourt (2017), *A conceptual introduction to Hamiltonian Monte Carlo*, appendix A.4.2.
    """
    total, left, right = total_left + total_right, total_left + inner_right, total_right + inner_left
    pairs = (
        (first, total),
        (last, total),
        (first, left),
        (inner_right, left),
        (inner_left, right),
        (last, right),
    )
    return ~_all_positive(pairs)


def group_turns(first: Array, middle: Array, last: Array, total: Array) -> Array:
    """Apply the criterion to the first two or three leaves: each of them is to go the way of their sum.

    Args:
      first: momentum of the first leaf, shape (d,).
      middle: momentum of the one before the last, which of two is the first again.
      last: momentum of the last leaf.
      total: sum of their momenta.
    """
    return ~_all_positive(((first, total), (middle, total), (last, total)))


def _all_positive(pairs: Sequence[tuple[Array, Array]]) -> Array:
    """Whether the products of all pairs are positive."""
    # One reduction: each sum is a chain of dependent additions, and the chains go on side by side.
    products = tuple(a * b for a, b in pairs)
    zeros = (jnp.zeros(()),) * len(pairs)
    sums = lax.reduce(products, zeros, lambda x, y: tuple(a + b for a, b in zip(x, y, strict=True)), (0,))
    return jnp.all(jnp.stack(sums) > 0.0)
