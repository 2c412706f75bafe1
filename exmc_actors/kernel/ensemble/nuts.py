"""Make one NUTS transition in every lane, many at the same depth; see ``kernel.nuts`` for the algorithm.

Lanes whose trajectories double from two leaves go first, and then those of three.  Of either, depth, leaf
and slots are numbers that all lanes share, so that everything is updated in place; only the slot that a
lane moves to is its own, and that is read.  The loops run until the last lane has ended.  What a lane finds
is a function of that lane alone, to the bit.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from exmc_actors.kernel.choosing import InRoom, leaf_in_room
from exmc_actors.kernel.ensemble.algebra import energy, group_turns, is_turning, whitened
from exmc_actors.kernel.ensemble.subtree import Counts, Subtree, Walk, build_subtree, where_in_lanes
from exmc_actors.kernel.growth import Growth, base_for
from exmc_actors.kernel.hamiltonian import DensityAndGradient, PhasePoint, Point
from exmc_actors.kernel.metric import Metric
from exmc_actors.kernel.nuts import Transition
from exmc_actors.kernel.random import TransitionWords, transition_words, uniform_at
from exmc_actors.kernel.room import Room


class _Moved(NamedTuple):
    """Where the lanes are, of which some have moved."""

    point: Point
    report: Transition
    room: Room


class _Trajectory(NamedTuple):
    """See ``kernel.nuts``; each array with the lanes on its last axis, but for the depth."""

    depth: Array
    """Of the lanes that go on."""
    goes_on: Array
    depths: Array
    joined: Array
    backward: PhasePoint
    forward: PhasePoint
    total_momentum: Array
    moves_to_drawn: Array
    """Whether the lane moves to a leaf that was drawn from a subtree that did not fit into the room."""
    counts: Counts
    in_room: InRoom
    max_energy_error: Array
    turning: Array
    diverging: Array
    room: Room


def transition(  # noqa: PLR0913 - what a transition is a function of
    density_and_gradient: DensityAndGradient,
    start: Point,
    key: Array,
    index: Array,
    step_size: Array,
    metric: Metric,
    used: Array,
    max_depth: int,
    room: Room,
    jitter: Array | float = 0.0,
) -> tuple[Point, Transition, Room]:
    """Draw the next point of each chain.

    Args:
      density_and_gradient: maps positions, shape (d, w), to log densities, (w,), and gradients, (d, w).
      start: where each chain stands.
      key: key data of each chain, shape (2, w).
      index: number of this transition in each chain, shape (w,).
      step_size: positive, shape (w,).
      metric: each array with the lanes on its last axis.
      used: which lanes hold a chain, shape (w,); in the others nothing is waited for.
      max_depth: how often a trajectory can grow.
      room: for as many lanes, from ``room_for`` or the transition before.
      jitter: of the step sizes, as ``kernel.transition`` has it.

    Returns:
      The next points, the reports and the room, as ``kernel.transition`` gives them for one chain.
    """
    dim = start.position.shape[0]
    words = jax.vmap(transition_words, in_axes=(-1, 0, None), out_axes=-1)(key, index, dim)
    initial_energy = energy(start.log_density, words.normals)
    step_size = step_size * (1.0 + jitter * (2.0 * words.step_uniform - 1.0))
    all_fit = max_depth <= room.depth
    bases = base_for(step_size, min(max_depth, room.depth))

    def move(base: Array, moved: _Moved) -> _Moved:
        lanes, growth = used & (bases == base), Growth(base)
        walk = Walk(
            density_and_gradient, start.position, metric, initial_energy, words.leaf_seed, all_fit, growth
        )
        single = _single_points(walk, start, words.normals, lanes, moved.room)
        last = _grown(walk, single, words, step_size, max_depth)
        ends = last.backward.momentum, last.forward.momentum
        in_room = leaf_in_room(last.room, last.joined, last.in_room, words, ends, max_depth, growth)
        slots = jnp.where(last.moves_to_drawn, last.room.drawn_slots[1], in_room)
        point, point_energy = last.room.point_at(slots)
        report = _report(last, point_energy, step_size, max_depth)
        point, report = where_in_lanes(lanes, (point, report), (moved.point, moved.report))
        return _Moved(point, report, last.room)

    # Mostly all have the same base, and the other one takes no time.
    has_two, has_three = (jnp.any(used & (bases == base)) for base in (2, 3))
    bounds = jnp.where(has_two, jnp.int64(2), 3), jnp.where(has_three, jnp.int64(4), 3)
    moved: _Moved = lax.fori_loop(*bounds, move, _Moved(start, _nothing_yet(start, step_size), room))
    return moved.point, moved.report, moved.room


def _grown(
    walk: Walk, single: _Trajectory, words: TransitionWords, step_size: Array, max_depth: int
) -> _Trajectory:
    """Let the trajectories grow until the last of them has ended."""

    def grow(trajectory: _Trajectory) -> _Trajectory:
        forward = walk.growth.forward(trajectory.depth, words.directions) == 1
        subtree = build_subtree(
            walk,
            trajectory.goes_on,
            where_in_lanes(forward, trajectory.forward, trajectory.backward),
            trajectory.depth,
            jnp.where(forward, step_size, -step_size),
            trajectory.room,
        )
        return _merge(walk, trajectory, subtree, forward, uniform_at(words.choice_seed, trajectory.depth))

    def goes_on(trajectory: _Trajectory) -> Array:
        return (trajectory.depth < max_depth) & jnp.any(trajectory.goes_on)

    last: _Trajectory = lax.while_loop(goes_on, grow, single)
    return last


def _single_points(walk: Walk, start: Point, momentum: Array, used: Array, room: Room) -> _Trajectory:
    """Return the trajectories that have not grown yet."""
    dim, width = start.position.shape
    end = PhasePoint(jnp.zeros((dim, width)), momentum, whitened(walk.metric, start.gradient))
    zero, none, no = jnp.zeros(width), jnp.zeros(width, jnp.int64), jnp.zeros(width, bool)
    return _Trajectory(
        depth=jnp.zeros((), jnp.int64),
        goes_on=used,
        depths=none,
        joined=none,
        backward=end,
        forward=end,
        total_momentum=momentum,
        moves_to_drawn=no,
        counts=Counts(none, jnp.ones(width), zero, zero),
        in_room=InRoom(jnp.ones(width), zero),
        max_energy_error=zero,
        turning=no,
        diverging=no,
        room=room.keep(jnp.zeros((), jnp.int64), start, walk.initial_energy, jnp.ones(width)),
    )


def _nothing_yet(start: Point, step_size: Array) -> Transition:
    """Return what lanes report that make no transition."""
    zero, none, no = (jnp.zeros_like(step_size, kind) for kind in (float, int, bool))
    return Transition(zero, zero, step_size, none, none, no, -start.log_density, zero, no)


def _keep_drawn(room: Room, taken: Array) -> Room:
    """Keep what was drawn from the subtrees that did not fit into the room, in the lanes that move to it."""
    drawn, kept = (jnp.full_like(taken, slot, jnp.int64) for slot in room.drawn_slots)
    point, point_energy = where_in_lanes(taken, room.point_at(drawn), room.point_at(kept))
    return room.keep(jnp.int64(room.drawn_slots[1]), point, point_energy, jnp.zeros_like(point_energy))


def _merge(walk: Walk, old: _Trajectory, new: Subtree, forward: Array, uniform: Array) -> _Trajectory:
    """Join the subtrees to their trajectories; from one that turned or diverged, take only the counts."""
    valid = old.goes_on & ~new.turning & ~new.diverging
    room = new.room
    fits = old.depth < room.depth
    taken = valid & ~fits & (uniform * old.counts.weight < new.counts.weight)
    inner_old = jnp.where(forward, old.forward.momentum, old.backward.momentum)
    outer_old = jnp.where(forward, old.backward.momentum, old.forward.momentum)
    total = old.total_momentum + new.total_momentum
    is_single, is_whole = walk.growth.is_single(old.depth), walk.growth.is_whole(old.depth)
    turning = lax.cond(
        is_single,
        lambda: is_whole & group_turns(outer_old, inner_old, new.edge.momentum, total),
        lambda: is_turning(
            outer_old,
            inner_old,
            old.total_momentum,
            room.first_momentum,
            new.edge.momentum,
            new.total_momentum,
        ),
    )
    larger = jnp.abs(new.max_energy_error) > jnp.abs(old.max_energy_error)
    return _Trajectory(
        depth=old.depth + 1,
        goes_on=valid & ~turning,
        depths=old.depths + old.goes_on,
        joined=jnp.where(valid, old.joined + 1, jnp.where(is_single & old.goes_on, 0, old.joined)),
        backward=where_in_lanes(valid & ~forward, new.edge, old.backward),
        forward=where_in_lanes(valid & forward, new.edge, old.forward),
        total_momentum=total,
        moves_to_drawn=old.moves_to_drawn | taken,
        counts=Counts(*(a + b for a, b in zip(old.counts, new.counts, strict=True))),
        in_room=old.in_room.joined_by(jnp.where(valid & fits, new.counts.weight, 0.0), forward),
        max_energy_error=jnp.where(larger, new.max_energy_error, old.max_energy_error),
        turning=old.turning | (old.goes_on & (turning | new.turning)),
        diverging=old.diverging | new.diverging,
        room=room if walk.all_fit else _keep_drawn(room, taken),
    )


def _report(last: _Trajectory, point_energy: Array, step_size: Array, max_depth: int) -> Transition:
    leaves = last.counts.leaves.astype(jnp.float64)
    return Transition(
        acceptance_rate=last.counts.acceptance / leaves,
        symmetric_acceptance_rate=last.counts.symmetric_acceptance / leaves,
        step_size=step_size,
        tree_depth=last.depths,
        n_steps=last.counts.leaves,
        diverging=last.diverging,
        energy=point_energy,
        max_energy_error=last.max_energy_error,
        reached_max_treedepth=(last.depths == max_depth) & ~last.turning & ~last.diverging,
    )
