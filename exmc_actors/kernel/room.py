"""Keep what a transition visits in arrays that go on to the next one, since clearing them costs more.

What an earlier transition or subtree left there is not read.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from exmc_actors.kernel.hamiltonian import Point

MOST_BYTES = 1 << 21
"""For the leaves of one chain, or of eight in lanes, so that 64 lanes take 16 MB."""
_EXTRA = 3
"""Slots beyond those of leaves that fit: two for leaves drawn from subtrees that do not, and a spare one."""


class Room(NamedTuple):
    """Room for one transition; of chains in lanes, each array has the lanes on its last axis."""

    openings: Array
    """Rows (momentum, total before it, momentum before it) of the leaves that open a group of
    leaves or more; the last row is for what opens nothing.

    Shape (max_depth + 1, 3, d).
    """
    leaves: Array
    """A row for each leaf: position, gradient, log density, energy; shape (2^depth + 3, 2 d + 2)."""
    weights: Array
    """Of the leaves, exp(initial energy - energy), in their order; shape (2^depth + 3,)."""

    @property
    def depth(self) -> int:
        """How often a trajectory can grow until its leaves no longer fit."""
        return (len(self.weights) - _EXTRA).bit_length() - 1

    @property
    def first_momentum(self) -> Array:
        """The momentum of the first leaf of the subtree that was walked last."""
        first: Array = self.openings[0, 0]
        return first

    @property
    def drawn_slots(self) -> tuple[int, int]:
        """Slots for leaves that are drawn from subtrees that do not fit.

        Of a chain alone, one holds what it would move to and the other what the next subtree draws, in turn.
        In lanes the first is for what a subtree draws, and the second for what the lanes would move to.
        """
        return 1 << self.depth, (1 << self.depth) + 1

    @property
    def spare(self) -> int:
        """A slot for what is not kept."""
        return (1 << self.depth) + 2

    def keep(self, slot: Array, point: Point, energy: Array, weight: Array) -> "Room":
        """Write a leaf into a slot, the same in all lanes.

        Args:
          slot: of the leaf.
          point: where it is.
          energy: its own.
          weight: exp(initial energy - energy); nobody reads that of a leaf that was drawn.
        """
        leaves, column, lanes = self.leaves, 0, (0,) * energy.ndim
        for part in (point.position, point.gradient, point.log_density[None], energy[None]):
            leaves = lax.dynamic_update_slice(leaves, part[None], (slot, column, *lanes))
            column += len(part)
        return self._replace(
            leaves=leaves, weights=lax.dynamic_update_slice(self.weights, weight[None], (slot, *lanes))
        )

    def point_at(self, slot: Array) -> tuple[Point, Array]:
        """Return the leaf in a slot, and its energy; of chains in lanes, each from a slot of its own."""
        row = _at(self.leaves, slot)
        dim = len(row) // 2 - 1
        return Point(row[:dim], row[2 * dim], row[dim : 2 * dim]), row[2 * dim + 1]

    def weight_at(self, slot: Array) -> Array:
        """Return the weight in a slot; of chains in lanes, each from a slot of its own."""
        return _at(self.weights, slot)


def room_for(max_depth: int, dim: int, *lanes: int, most_bytes: int = MOST_BYTES) -> Room:
    """Return room for transitions whose trajectories grow at most so often.

    Args:
      max_depth: how often they can; where the leaves of so many take too much, there is room for
        those of fewer.
      dim: of a position.
      lanes: how many chains it is for, if they are in lanes.
      most_bytes: what the leaves of one chain may take, or those of eight lanes.
    """
    columns = 2 * dim + 2
    most = most_bytes // (8 * columns * (8 if lanes else 1))
    depth = max(0, min(max_depth, most.bit_length() - 1))
    slots = (1 << depth) + _EXTRA
    return Room(
        openings=jnp.zeros((max_depth + 1, 3, dim, *lanes)),
        leaves=jnp.zeros((slots, columns, *lanes)),
        weights=jnp.zeros((slots, *lanes)),
    )


def _at(rows: Array, slot: Array) -> Array:
    if slot.ndim == 0:
        row: Array = lax.dynamic_index_in_dim(rows, slot, 0, keepdims=False)
        return row
    return jnp.take_along_axis(rows, slot.reshape((1,) * (rows.ndim - 1) + (-1,)), axis=0)[0]
