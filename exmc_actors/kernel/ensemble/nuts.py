"""Make one NUTS transition in every lane, all lanes at the same depth; see ``kernel.nuts`` for the algorithm.

Depth, leaf and slots are numbers that all lanes share, so that everything is updated in place; the loops run
until the last lane has ended.  What a lane finds is a function of that lane alone, to the bit.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from exmc_actors.kernel.choosing import choose, range_of_shifts
from exmc_actors.kernel.ensemble.algebra import energy, is_turning, is_turning_across, whitened
from exmc_actors.kernel.ensemble.subtree import Counts, Subtree, Walk, build_subtree, choose_in_each_lane
from exmc_actors.kernel.hamiltonian import DensityAndGradient, PhasePoint, Point
from exmc_actors.kernel.metric import Metric
from exmc_actors.kernel.nuts import Transition
from exmc_actors.kernel.random import TransitionWords, transition_words, uniform_at
from exmc_actors.kernel.room import Room


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
    has_single: Array
    """Whether the lane moves to a leaf out of a subtree that did not fit into the room."""
    counts: Counts
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
      max_depth: the largest number of doublings.
      room: for as many lanes, from ``room_for`` or the transition before.
      jitter: of the step sizes, as ``kernel.transition`` has it.

    Returns:
      The next points, the reports and the room, as ``kernel.transition`` gives them for one chain.
    """
    dim, width = start.position.shape
    words = jax.vmap(transition_words, in_axes=(-1, 0, None), out_axes=-1)(key, index, dim)
    initial_energy = energy(start.log_density, words.normals)
    step_size = step_size * (1.0 + jitter * (2.0 * words.step_uniform - 1.0))
    all_fit = max_depth <= room.depth
    walk = Walk(density_and_gradient, start.position, metric, initial_energy, words.leaf_seed, all_fit)
    end = PhasePoint(jnp.zeros((dim, width)), words.normals, whitened(metric, start.gradient))
    zero, none, no = jnp.zeros(width), jnp.zeros(width, jnp.int64), jnp.zeros(width, bool)
    single_points = _Trajectory(
        depth=jnp.zeros((), jnp.int64),
        goes_on=used,
        depths=none,
        joined=none,
        backward=end,
        forward=end,
        total_momentum=words.normals,
        has_single=no,
        counts=Counts(none, jnp.ones(width), zero, zero),
        max_energy_error=zero,
        turning=no,
        diverging=no,
        room=room.keep(jnp.zeros((), jnp.int64), start, initial_energy, jnp.ones(width)),
    )

    def double(trajectory: _Trajectory) -> _Trajectory:
        forward = ((words.directions >> trajectory.depth.astype(jnp.uint64)) & 1) == 1
        subtree = build_subtree(
            walk,
            trajectory.goes_on,
            choose_in_each_lane(forward, trajectory.forward, trajectory.backward),
            trajectory.depth,
            jnp.where(forward, step_size, -step_size),
            trajectory.room,
        )
        return _merge(walk, trajectory, subtree, forward, uniform_at(words.merge_seed, trajectory.depth))

    def goes_on(trajectory: _Trajectory) -> Array:
        return (trajectory.depth < max_depth) & jnp.any(trajectory.goes_on)

    last = lax.while_loop(goes_on, double, single_points)
    point, point_energy = last.room.point_at(_chosen(last, words, max_depth))
    return point, _report(last, point_energy, step_size, max_depth), last.room


def _chosen(last: _Trajectory, words: TransitionWords, max_depth: int) -> Array:
    """Return the slot of the leaf that each lane moves to."""
    uniforms = (
        uniform_at(words.merge_seed, jnp.int64(max_depth)),
        uniform_at(words.merge_seed, jnp.int64(max_depth + 1)),
    )
    shifts = range_of_shifts(last.backward.momentum, last.forward.momentum)
    fitting = jnp.minimum(last.joined, last.room.depth)
    chosen = choose(last.room.weight_at, fitting, words.directions, shifts, uniforms)
    return jnp.where(last.has_single, last.room.singles[1], chosen)


def _with_singles(room: Room, taken: Array) -> Room:
    """Keep what was drawn from the subtrees that did not fit into the room, in the lanes that move to it."""
    one, other = (jnp.full(taken.shape, slot) for slot in room.singles)
    point, point_energy = choose_in_each_lane(taken, room.point_at(one), room.point_at(other))
    return room.keep(other[0], point, point_energy, room.weight_at(other))


def _merge(walk: Walk, old: _Trajectory, new: Subtree, forward: Array, uniform: Array) -> _Trajectory:
    """Join the subtrees to their trajectories; from one that turned or diverged, take only the counts."""
    valid = old.goes_on & ~new.turning & ~new.diverging
    room = new.room
    taken = valid & (old.depth >= room.depth) & (uniform * old.counts.weight < new.counts.weight)
    inner_old = jnp.where(forward, old.forward.momentum, old.backward.momentum)
    outer_old = jnp.where(forward, old.backward.momentum, old.forward.momentum)
    total = old.total_momentum + new.total_momentum
    turning = is_turning(outer_old, new.edge.momentum, total) | is_turning_across(
        outer_old,
        inner_old,
        old.total_momentum,
        room.openings[0, 0],
        new.edge.momentum,
        new.total_momentum,
    )
    larger = jnp.abs(new.max_energy_error) > jnp.abs(old.max_energy_error)
    return _Trajectory(
        depth=old.depth + 1,
        goes_on=valid & ~turning,
        depths=old.depths + old.goes_on,
        joined=old.joined + valid,
        backward=choose_in_each_lane(valid & ~forward, new.edge, old.backward),
        forward=choose_in_each_lane(valid & forward, new.edge, old.forward),
        total_momentum=total,
        has_single=old.has_single | taken,
        counts=Counts(*(a + b for a, b in zip(old.counts, new.counts, strict=True))),
        max_energy_error=jnp.where(larger, new.max_energy_error, old.max_energy_error),
        turning=old.turning | (old.goes_on & (turning | new.turning)),
        diverging=old.diverging | new.diverging,
        room=room if walk.all_fit else _with_singles(room, taken),
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
