"""Say when a trajectory has begun to turn back on itself; sees momenta in whitened coordinates."""

import jax.numpy as jnp
from jax import Array


def is_turning(first: Array, last: Array, total: Array) -> Array:
    """Apply the generalised U-turn criterion to a stretch of a trajectory.

    Args:
      first: momentum at one end of the stretch, shape (d,).
      last: momentum at the other end.
      total: sum of the momenta of all its leaves, both ends included.

    Returns:
      A boolean scalar; NaN momenta count as turning.

    References:
      Betancourt (2017), *A conceptual introduction to Hamiltonian Monte Carlo*, appendix A.4.2.
    """
    return ~((jnp.dot(first, total) > 0) & (jnp.dot(last, total) > 0))


def is_turning_across(
    first: Array, inner_left: Array, total_left: Array, inner_right: Array, last: Array, total_right: Array
) -> Array:
    """Check each half of a stretch together with the nearest leaf of the other half.

    Without these two checks a trajectory that turns just between its halves goes unnoticed and doubles
    once more (Stan, pull request 2800).  They must be made at every merge or at none: made at the top
    alone, a trajectory could be reached from one of its points and not from another.
    """
    left = is_turning(first, inner_right, total_left + inner_right)
    right = is_turning(inner_left, last, total_right + inner_left)
    return left | right
