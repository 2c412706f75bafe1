"""Say by how many leaves a trajectory grows, in which direction, and in which slot each leaf is kept.

A trajectory doubles from its first two leaves on, 2, 4, 8, ..., or from its first three, 3, 6, 12, ...
The leaf that a chain starts at is any of these with the same probability; so a trajectory has the same
probability from wherever in it a chain starts, which is all that NUTS asks of doubling.  The first three
are added one at a time, and belong to the trajectory together or not at all.  Two or three is a function of
the step size and of how far a trajectory can grow, never of the position.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

_FROM_THREE = (0.289, 0.4535), (0.636, 1.058), (1.2, jnp.inf)
"""Step sizes of trajectories that double from three leaves: 11, 5 and 2 steps of such a size are long enough.

A trajectory turns after half a period, a length of about pi in whitened coordinates.  Smaller steps belong to
posteriors that the metric has not made round: for these no length is better than another.
"""


def base_for(step_size: Array, most_extensions: int) -> Array:
    """Return how many leaves a trajectory is to double from, two or three.

    Args:
      step_size: of either sign; any shape.
      most_extensions: how often a trajectory can grow, with all of its leaves kept.  Three leaves take two.

    Returns:
      An int64 for each step size.
    """
    size = jnp.abs(step_size)
    is_three = jnp.zeros(size.shape, bool)
    for lowest, end in _FROM_THREE:
        is_three |= (size >= lowest) & (size < end)
    return jnp.where(is_three & (most_extensions >= 2), jnp.int64(3), jnp.int64(2))


class Growth(NamedTuple):
    """How trajectories of one base grow; of those in lanes, all by the same extension at a time."""

    base: Array
    """Two or three: how many leaves double."""

    def size(self, extensions: Array) -> Array:
        """Return how many leaves there are after some extensions: the slot of the first one that follows."""
        doublings = jnp.maximum(extensions - self.base + 1, 0)
        return jnp.where(self.is_single(extensions), extensions + 1, self.base << doublings)

    def leaves(self, extension: Array) -> Array:
        """Return how many leaves an extension adds."""
        return jnp.where(self.is_single(extension), jnp.int64(1), self.size(extension))

    def is_single(self, extension: Array) -> Array:
        """Whether an extension adds a single leaf: one of the first two or three."""
        return extension < self.base - 1

    def is_whole(self, extension: Array) -> Array:
        """Whether what there is after an extension is a trajectory, and not a part of the first three."""
        return extension >= self.base - 2

    def forward(self, extension: Array, directions: Array) -> Array:
        """Return 1 for an extension that goes forward in time, 0 for another.

        Args:
          extension: its number.
          directions: a random word.
        """
        by_bit = ((directions >> extension.astype(jnp.uint64)) & 1).astype(jnp.int64)
        in_turn = (self._earlier(directions) <= extension).astype(jnp.int64)
        return jnp.where(self.is_single(extension), in_turn, by_bit)

    def group(self, leaf: Array) -> tuple[Array, Array]:
        """Return which group of as many leaves as the base a leaf is in, and its place there."""
        # A division takes longer than a step; right up to 2^31 leaves.
        number = leaf * jnp.where(self.base == 3, jnp.int64(-(-(2**33) // 3)), jnp.int64(2**32)) >> 33
        return number, leaf - number * self.base

    def start(self, extensions: Array, directions: Array) -> Array:
        """Return how many leaves of a trajectory come before the first slot's in time."""
        doublings = jnp.maximum(extensions - self.base + 1, 0)
        backward = (~directions >> (self.base - 1).astype(jnp.uint64)).astype(jnp.int64)
        group = backward & ((jnp.int64(1) << doublings) - 1)
        return jnp.where(extensions == 0, 0, group * self.base + self._earlier(directions))

    def slot_of(self, position: Array, start: Array) -> Array:
        """Return the slot of the leaf at a position in time, where that of the first slot is at ``start``."""
        (group, place), (own_group, own_place) = self.group(position), self.group(start)
        # The highest bit in which the groups differ is the doubling that added the leaf.
        difference = group ^ own_group
        doubling = 63 - lax.clz(difference | 1)
        size = self.base << doubling
        offset = position - (group >> doubling) * size
        added = size + jnp.where(position > start, offset, size - 1 - offset)
        nearest = jnp.where(own_place == 1, 0, 1)
        first = jnp.where(place == own_place, 0, jnp.where(place == nearest, 1, 2))
        return jnp.where(difference == 0, first, added)

    def _earlier(self, directions: Array) -> Array:
        """Return how many of the first leaves come before the chain's own: those that are added first."""
        # Uniform to a part in 2^40.  The low bits are those of doublings, of which there are fewer than 24.
        return ((directions >> 24) * self.base.astype(jnp.uint64) >> 40).astype(jnp.int64)
