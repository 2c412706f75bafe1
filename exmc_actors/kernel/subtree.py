"""Build one subtree of a NUTS trajectory leaf by leaf; the trajectory that grows by it is in nuts.py.

A subtree is a group of two or three leaves, or twice as many, or four times (growth.py), or a single one.
It is walked from its first leaf to its last.  Whatever the recursion would check when it merges two
halves is checked here at the leaf that completes the second half, from momenta kept at the first leaf of
every half still open: at most one per level (Phan, Pradhan and Jankowiak 2019, appendix A).  The walk
stops at the first leaf that diverges or completes a turning stretch, or where the kernel can move no
further; such a subtree is never merged.

Every leaf is kept, for choosing.py to choose from; of a subtree whose leaves do not fit into the room only
one, drawn by weight as they are visited.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from exmc_actors.exponential import exp
from exmc_actors.kernel.growth import Growth
from exmc_actors.kernel.hamiltonian import PhasePoint
from exmc_actors.kernel.moving import Flow, Kernel
from exmc_actors.kernel.random import uniform_at
from exmc_actors.kernel.room import Room
from exmc_actors.kernel.turning import group_turns, is_turning

MAX_ENERGY_ERROR = 1000.0
"""Beyond this rise of the energy a leaf is a divergence, as in Stan."""

LARGEST_LOG_WEIGHT = 600.0  # exp of it, summed over 2^10 leaves, is still far below overflow


@dataclass(frozen=True)
class Walk:
    """What stays the same while a transition walks through phase space."""

    kernel: Kernel
    flow: Flow
    initial_energy: Array
    leaf_seed: Array
    """Seeds the choice among the leaves of a subtree that does not fit into the room."""
    all_fit: bool
    """Whether the leaves of every subtree fit into the room."""
    growth: Growth


class Subtree(NamedTuple):
    """What a walk over leaves has found so far."""

    leaves: Array
    """How many leaves were visited."""
    edge: PhasePoint
    """The leaf visited last."""
    total_momentum: Array
    weight: Array
    """Sum of exp(initial energy - energy) over the leaves."""
    acceptance: Array
    """Sum over the leaves of min(1, weight)."""
    symmetric_acceptance: Array
    """Sum over the leaves of 2 min(1, weight) / (1 + weight)."""
    max_energy_error: Array
    """The energy error of the largest size, signed."""
    turning: Array
    """Whether a stretch turns, or the kernel has come to the trajectory's end."""
    diverging: Array
    notes: Any
    """What the kernel remembers of the edge."""
    room: Room


def build_subtree(
    walk: Walk,
    edge: PhasePoint,
    notes: Any,
    extension: Array,
    step_size: Array,
    free: Array,
    room: Room,
) -> Subtree:
    """Extend a trajectory beyond one of its ends, or stop before that at a turn or divergence.

    Args:
      walk: what stays the same for the whole transition.
      edge: the end of the trajectory from which to go on.
      notes: what the kernel remembers of that end.
      extension: how often the trajectory has grown before.
      step_size: signed; negative walks backwards in time.
      free: the slot for a leaf that is drawn from this subtree, if it does not fit into the room.
      room: what the subtree before has left.
    """
    most, first_slot = walk.growth.leaves(extension), walk.growth.size(extension)

    def visit(tree: Subtree) -> Subtree:
        leaf = tree.leaves
        edge, point, leaf_energy, is_end, notes = walk.kernel.move(
            walk.flow, tree.edge, step_size, tree.notes
        )
        error, diverging, weight = _judged(leaf_energy - walk.initial_energy, step_size)
        acceptance = jnp.minimum(weight, 1.0)
        total_weight = tree.weight + weight
        slot = first_slot + leaf
        if not walk.all_fit:
            taken = uniform_at(walk.leaf_seed, slot) * total_weight < weight
            slot = jnp.where(extension < room.depth, slot, jnp.where(taken, free, room.spare))
        openings = _with_opening(walk.growth, tree, edge.momentum)
        total_momentum = tree.total_momentum + edge.momentum
        turning = _completes_turning(walk.growth, openings, tree, edge.momentum, total_momentum)
        return Subtree(
            leaves=leaf + 1,
            edge=edge,
            total_momentum=total_momentum,
            weight=total_weight,
            acceptance=tree.acceptance + acceptance,
            symmetric_acceptance=tree.symmetric_acceptance + 2.0 * acceptance / (1.0 + weight),
            max_energy_error=_larger_error(error, tree.max_energy_error),
            turning=turning | is_end,
            diverging=diverging,
            notes=notes,
            room=tree.room._replace(openings=openings).keep(slot, point, leaf_energy, weight),
        )

    def goes_on(tree: Subtree) -> Array:
        return (tree.leaves < most) & ~tree.turning & ~tree.diverging

    return lax.while_loop(goes_on, visit, _unvisited(edge, notes, room))


def _unvisited(edge: PhasePoint, notes: Any, room: Room) -> Subtree:
    """Return a subtree of which no leaf has been visited."""
    zero = jnp.zeros(())
    return Subtree(
        leaves=jnp.zeros((), jnp.int64),
        edge=edge,
        total_momentum=jnp.zeros_like(edge.z),
        weight=zero,
        acceptance=zero,
        symmetric_acceptance=zero,
        max_energy_error=zero,
        turning=jnp.zeros((), bool),
        diverging=jnp.zeros((), bool),
        notes=notes,
        room=room,
    )


def _judged(error: Array, step_size: Array) -> tuple[Array, Array, Array]:
    """Return a leaf's energy error, whether it diverges, and its weight."""

    def judged() -> tuple[Array, Array, Array]:
        diverging = ~(jnp.isfinite(error) & (error <= MAX_ENERGY_ERROR))
        weight = jnp.where(diverging, 0.0, exp(jnp.minimum(-error, LARGEST_LOG_WEIGHT)))
        return error, diverging, weight

    def diverged() -> tuple[Array, Array, Array]:
        return jnp.full((), jnp.nan), jnp.ones((), bool), jnp.zeros(())

    # Each of what follows from them would sum up the log density again, but for the border of a conditional.
    found: tuple[Array, Array, Array] = lax.cond(jnp.isnan(step_size), diverged, judged)
    return found


def _with_opening(growth: Growth, tree: Subtree, momentum: Array) -> Array:
    """Keep what a leaf opens that is the first of its group; another one writes into the spare row."""
    opening = jnp.stack([momentum, tree.total_momentum, tree.edge.momentum])
    row = row_of_opening(growth, tree.leaves, len(tree.room.openings))
    openings: Array = lax.dynamic_update_slice(tree.room.openings, opening[None], (row, 0, 0))
    return openings


def row_of_opening(growth: Growth, leaf: Array, rows: int) -> Array:
    """Return where to keep what a leaf opens: the last of the rows, if that is nothing."""
    group, place = growth.group(leaf)
    return jnp.where(place == 0, lax.population_count(group), rows - 1)


def _completes_turning(
    growth: Growth, openings: Array, tree: Subtree, momentum: Array, total: Array
) -> Array:
    """Check every stretch of 1, 2, 4, ... groups of leaves that ends at this leaf, shortest first."""
    group, place = growth.group(tree.leaves)
    newest_row = lax.population_count(group)
    # Of two groups or more there is a stretch for each trailing one of the group's number.
    stretches = lax.population_count(group ^ (group + 1)) - 1

    def check(carry: tuple[Array, Array]) -> tuple[Array, Array]:
        level, _ = carry
        row = newest_row - level
        # The right half opens one row further up.
        first, before_first, _ = lax.dynamic_slice_in_dim(openings, row - 1, 1)[0]
        inner_right, before_right, inner_left = lax.dynamic_slice_in_dim(openings, row, 1)[0]
        turning = is_turning(
            first, inner_left, before_right - before_first, inner_right, momentum, total - before_right
        )
        return level + 1, turning

    def goes_on(carry: tuple[Array, Array]) -> Array:
        level, turning = carry
        return (level < stretches) & ~turning

    def completes() -> Array:
        first, before_first, _ = lax.dynamic_slice_in_dim(openings, newest_row, 1)[0]
        turning = group_turns(first, tree.edge.momentum, momentum, total - before_first)
        return lax.while_loop(goes_on, check, (jnp.zeros((), jnp.int64), turning))[1]

    no = jnp.zeros((), bool)
    found: Array = lax.cond(place == growth.base - 1, completes, lambda: no)
    return found


def _larger_error(error: Array, largest: Array) -> Array:
    error = jnp.where(jnp.isnan(error), jnp.inf, error)
    return jnp.where(jnp.abs(error) > jnp.abs(largest), error, largest)
