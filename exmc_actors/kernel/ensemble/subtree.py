"""Build a subtree in every lane, leaf by leaf and all lanes at the same leaf; see ``kernel.subtree``.

A lane that has turned or diverged goes on walking, since stopping one lane saves nothing: what it finds is
not counted, and though it is kept it is never chosen.  The walk ends when no lane is left to walk for.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from exmc_actors.kernel.ensemble.algebra import displacement, energy, group_turns, is_turning, whitened
from exmc_actors.kernel.growth import Growth
from exmc_actors.kernel.hamiltonian import DensityAndGradient, PhasePoint, Point
from exmc_actors.kernel.metric import Metric
from exmc_actors.kernel.random import uniform_at
from exmc_actors.kernel.room import Room
from exmc_actors.kernel.subtree import LARGEST_LOG_WEIGHT, MAX_ENERGY_ERROR, row_of_opening


@dataclass(frozen=True)
class Walk:
    """What stays the same while a transition walks through phase space."""

    density_and_gradient: DensityAndGradient
    origin: Array
    """The positions that the transition started from, shape (d, w)."""
    metric: Metric
    initial_energy: Array
    leaf_seed: Array
    all_fit: bool
    """Whether the leaves of every subtree fit into the room."""
    growth: Growth
    """Of the lanes that take part."""


class Counts(NamedTuple):
    """What is summed over the leaves of a lane, each of shape (w,)."""

    leaves: Array
    weight: Array
    acceptance: Array
    symmetric_acceptance: Array


class Subtree(NamedTuple):
    """What a walk over leaves has found so far; see ``kernel.subtree.Subtree``."""

    leaf: Array
    """The number of the next leaf, of all lanes."""
    walks: Array
    """Whether the lane's leaves count, shape (w,)."""
    edge: PhasePoint
    total_momentum: Array
    counts: Counts
    max_energy_error: Array
    turning: Array
    diverging: Array
    room: Room


def build_subtree(
    walk: Walk, walks: Array, edge: PhasePoint, extension: Array, step_size: Array, room: Room
) -> Subtree:
    """Extend the trajectory of each lane beyond one of its ends, or stop before that at a turn or divergence.

    Args:
      walk: what stays the same for the whole transition.
      walks: which lanes take part, shape (w,).
      edge: the end of each trajectory from which to go on.
      extension: how often all of them have grown before.
      step_size: signed, shape (w,).
      room: what the subtrees before have left.
    """
    most, first_slot = walk.growth.leaves(extension), walk.growth.size(extension)

    def visit(tree: Subtree) -> Subtree:
        edge, point = _leapfrog(walk, tree.edge, step_size)
        leaf_energy = energy(point.log_density, edge.momentum)
        error = leaf_energy - walk.initial_energy
        diverging = ~(jnp.isfinite(error) & (error <= MAX_ENERGY_ERROR))
        weight = jnp.where(diverging, 0.0, jnp.exp(jnp.minimum(-error, LARGEST_LOG_WEIGHT)))
        total_weight = tree.counts.weight + weight
        slot, kept = first_slot + tree.leaf, (point, leaf_energy)
        if not walk.all_fit:
            fits = extension < room.depth
            taken = tree.walks & (uniform_at(walk.leaf_seed, slot) * total_weight < weight)
            slot = jnp.where(fits, slot, room.drawn_slots[0])
            before = tree.room.point_at(jnp.full_like(walks, slot, jnp.int64))
            kept = where_in_lanes(taken | fits, kept, before)
        openings = _with_opening(walk.growth, tree, edge.momentum)
        total_momentum = tree.total_momentum + edge.momentum
        turning = _completes_turning(walk.growth, openings, tree, edge.momentum, total_momentum)
        return Subtree(
            leaf=tree.leaf + 1,
            walks=tree.walks & ~turning & ~diverging,
            edge=edge,
            total_momentum=total_momentum,
            counts=_counted(tree, weight),
            max_energy_error=_larger_error(tree, error),
            turning=tree.turning | (tree.walks & turning),
            diverging=tree.diverging | (tree.walks & diverging),
            room=tree.room._replace(openings=openings).keep(slot, *kept, weight),
        )

    def goes_on(tree: Subtree) -> Array:
        return (tree.leaf < most) & jnp.any(tree.walks)

    zero, no = jnp.zeros_like(walk.initial_energy), jnp.zeros_like(walks)
    nothing = Subtree(
        leaf=jnp.zeros((), jnp.int64),
        walks=walks,
        edge=edge,
        total_momentum=jnp.zeros_like(edge.z),
        counts=Counts(jnp.zeros_like(walks, jnp.int64), zero, zero, zero),
        max_energy_error=zero,
        turning=no,
        diverging=no,
        room=room,
    )
    return lax.while_loop(goes_on, visit, nothing)


def where_in_lanes(condition: Array, yes: Any, no: Any) -> Any:
    """Return one of two trees of arrays in each lane."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), yes, no)


def _leapfrog(walk: Walk, here: PhasePoint, step_size: Array) -> tuple[PhasePoint, Point]:
    half_way = here.momentum + 0.5 * step_size * here.slope
    z = here.z + step_size * half_way
    position = walk.origin + displacement(walk.metric, z)
    log_density, gradient = walk.density_and_gradient(position)
    slope = whitened(walk.metric, gradient)
    return PhasePoint(z, half_way + 0.5 * step_size * slope, slope), Point(position, log_density, gradient)


def _counted(tree: Subtree, weight: Array) -> Counts:
    acceptance = jnp.minimum(weight, 1.0)
    found = Counts(jnp.int64(1), weight, acceptance, 2.0 * acceptance / (1.0 + weight))
    return Counts(
        *(before + jnp.where(tree.walks, one, 0) for before, one in zip(tree.counts, found, strict=True))
    )


def _with_opening(growth: Growth, tree: Subtree, momentum: Array) -> Array:
    """Keep what a leaf opens that is the first of its group; another one writes into the spare row."""
    opening = jnp.stack([momentum, tree.total_momentum, tree.edge.momentum])
    row = row_of_opening(growth, tree.leaf, len(tree.room.openings))
    openings: Array = lax.dynamic_update_slice(tree.room.openings, opening[None], (row, 0, 0, 0))
    return openings


def _completes_turning(
    growth: Growth, openings: Array, tree: Subtree, momentum: Array, total: Array
) -> Array:
    """Check every stretch of 1, 2, 4, ... groups of leaves that ends at this leaf, shortest first."""
    group, place = growth.group(tree.leaf)
    newest_row = lax.population_count(group)
    stretches = lax.population_count(group ^ (group + 1)) - 1

    def check(carry: tuple[Array, Array]) -> tuple[Array, Array]:
        level, turned = carry
        row = newest_row - level
        first, before_first, _ = lax.dynamic_slice_in_dim(openings, row - 1, 1)[0]
        inner_right, before_right, inner_left = lax.dynamic_slice_in_dim(openings, row, 1)[0]
        turning = is_turning(
            first, inner_left, before_right - before_first, inner_right, momentum, total - before_right
        )
        return level + 1, turned | turning

    def goes_on(carry: tuple[Array, Array]) -> Array:
        level, turned = carry
        return (level < stretches) & jnp.any(tree.walks & ~turned)

    def completes() -> Array:
        first, before_first, _ = lax.dynamic_slice_in_dim(openings, newest_row, 1)[0]
        turning = group_turns(first, tree.edge.momentum, momentum, total - before_first)
        return lax.while_loop(goes_on, check, (jnp.zeros((), jnp.int64), turning))[1]

    found: Array = lax.cond(place == growth.base - 1, completes, lambda: jnp.zeros_like(tree.walks))
    return found


def _larger_error(tree: Subtree, error: Array) -> Array:
    error = jnp.where(jnp.isnan(error), jnp.inf, error)
    larger = tree.walks & (jnp.abs(error) > jnp.abs(tree.max_energy_error))
    return jnp.where(larger, error, tree.max_energy_error)
