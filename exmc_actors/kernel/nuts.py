"""Make one transition: let a trajectory grow until it turns, ends, diverges or is deep enough.

Turns are found by the generalised U-turn criterion, with its two extra checks at every merge; the leaf that
the chain moves to is chosen in choosing.py.  Of a subtree whose leaves do not fit into the room, one is
drawn by weight; the chain moves there or stays with what it had, biased towards the new half.

References:
  Hoffman and Gelman (2014), *The No-U-Turn Sampler*.
  Betancourt (2017), *A conceptual introduction to Hamiltonian Monte Carlo*, appendix A.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from exmc_actors.kernel.choosing import InRoom, leaf_in_room
from exmc_actors.kernel.growth import Growth, base_for
from exmc_actors.kernel.hamiltonian import DensityAndGradient, PhasePoint, Point, energy, phase_point
from exmc_actors.kernel.metric import Metric
from exmc_actors.kernel.moving import Flow, Kernel, Nuts
from exmc_actors.kernel.random import transition_words, uniform_at
from exmc_actors.kernel.room import Room
from exmc_actors.kernel.subtree import Subtree, Walk, build_subtree
from exmc_actors.kernel.turning import group_turns, is_turning

_NUTS = Nuts()


class Transition(NamedTuple):
    """What a transition reports besides the point it ends at; a kernel may count in its own way."""

    acceptance_rate: Array
    """Mean over all leaves of min(1, exp(-energy error))."""
    symmetric_acceptance_rate: Array
    """Mean over all leaves of 2 min(1, w) / (1 + w), where w = exp(-energy error)."""
    step_size: Array
    """Of all its steps: the one given, jittered."""
    tree_depth: Array
    n_steps: Array
    diverging: Array
    energy: Array
    max_energy_error: Array
    reached_max_treedepth: Array


class _Trajectory(NamedTuple):
    depth: Array
    """How many subtrees were built; the last one may have been dropped."""
    joined: Array
    """How many of them belong to it."""
    ends: Array
    """Of what belongs to it: rows backward and forward, each a ``PhasePoint``: shape (2, 3, d)."""
    notes: Any
    """What the kernel remembers of the two sides, of a subtree that was dropped, too: it took gradients.

    Each leaf has a first axis of length 2.
    """
    total_momentum: Array
    drawn: Array
    """The slot of the leaf to move to, if it was drawn from a subtree that did not fit; otherwise 0."""
    weight: Array
    in_room: InRoom
    leaves: Array
    acceptance: Array
    symmetric_acceptance: Array
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
    max_depth: int,
    room: Room,
    jitter: Array | float = 0.0,
    kernel: Kernel = _NUTS,
) -> tuple[Point, Transition, Room]:
    """Draw the next point of a chain.

    A pure function of its arguments: the random numbers are those of ``(key, index)``.

    Args:
      density_and_gradient: maps a position, shape (d,), to its log density and gradient.
      start: where the chain stands.
      key: the chain's key data, two uint32.
      index: number of this transition in the chain.
      step_size: positive.
      metric: of the coordinates to walk in.
      max_depth: how often a trajectory can grow.
      room: from ``room_for``, or what the transition before has left.
      jitter: under 1; the steps have the given size times a uniform number between 1 - jitter and 1 + jitter.
      kernel: how the trajectory moves on by one leaf.

    Returns:
      The next point, the report, and the room.  A divergence is a field of the report, never an error.
    """
    dim = start.position.shape[0]
    words = transition_words(key, index, dim)
    initial_energy = energy(start.log_density, words.normals)
    # Drawn before the trajectory and whatever the position is, so that each of its points could be its first.
    step_size = step_size * (1.0 + jitter * (2.0 * words.step_uniform - 1.0))
    flow = Flow(density_and_gradient, start.position, metric)
    growth = Growth(base_for(step_size, min(max_depth, room.depth)))
    walk = Walk(kernel, flow, initial_energy, words.leaf_seed, max_depth <= room.depth, growth)

    def grow(trajectory: _Trajectory) -> _Trajectory:
        forward = growth.forward(trajectory.depth, words.directions)
        subtree = build_subtree(
            walk,
            PhasePoint(*lax.dynamic_slice_in_dim(trajectory.ends, forward, 1)[0]),
            jax.tree.map(lambda notes: lax.dynamic_index_in_dim(notes, forward, 0, False), trajectory.notes),
            trajectory.depth,
            jnp.where(forward == 1, step_size, -step_size),
            _free_slot(trajectory),
            trajectory.room,
        )
        uniform = uniform_at(words.choice_seed, trajectory.depth)
        return _merge(growth, trajectory, subtree, forward, uniform)

    def goes_on(trajectory: _Trajectory) -> Array:
        return (trajectory.depth < max_depth) & ~trajectory.turning & ~trajectory.diverging

    last = lax.while_loop(goes_on, grow, _single_point(walk, start, words.normals, room))
    momenta = last.ends[0, 1], last.ends[1, 1]
    in_room = leaf_in_room(last.room, last.joined, last.in_room, words, momenta, max_depth, growth)
    point, point_energy = last.room.point_at(jnp.where(last.drawn > 0, last.drawn, in_room))
    return point, _report(last, kernel, point_energy, step_size, max_depth), last.room


def _single_point(walk: Walk, start: Point, momentum: Array, room: Room) -> _Trajectory:
    """Return the trajectory that has not grown yet."""
    end = jnp.stack(phase_point(start, momentum, walk.flow.metric))
    notes = walk.kernel.first_notes(walk.initial_energy)
    zero, none, no = jnp.zeros(()), jnp.zeros((), jnp.int64), jnp.zeros((), bool)
    return _Trajectory(
        depth=none,
        joined=none,
        ends=jnp.stack([end, end]),
        notes=jax.tree.map(lambda note: jnp.stack([note, note]), notes),
        total_momentum=momentum,
        drawn=none,
        weight=jnp.ones(()),
        in_room=InRoom(jnp.ones(()), zero),
        leaves=none,
        acceptance=zero,
        symmetric_acceptance=zero,
        max_energy_error=zero,
        turning=no,
        diverging=no,
        room=room.keep(none, start, walk.initial_energy, jnp.ones(())),
    )


def _report(
    last: _Trajectory, kernel: Kernel, point_energy: Array, step_size: Array, max_depth: int
) -> Transition:
    leaves = last.leaves.astype(jnp.float64)
    report = Transition(
        acceptance_rate=last.acceptance / leaves,
        symmetric_acceptance_rate=last.symmetric_acceptance / leaves,
        step_size=step_size,
        tree_depth=last.depth,
        n_steps=last.leaves,
        diverging=last.diverging,
        energy=point_energy,
        max_energy_error=last.max_energy_error,
        reached_max_treedepth=(last.depth == max_depth) & ~last.turning & ~last.diverging,
    )
    return report._replace(**kernel.statistics(leaves, last.notes))


def _free_slot(trajectory: _Trajectory) -> Array:
    """Return the slot for a drawn leaf that does not hold the one to move to."""
    one, other = trajectory.room.drawn_slots
    return jnp.where(trajectory.drawn == one, other, one)


def _merge(growth: Growth, old: _Trajectory, new: Subtree, forward: Array, uniform: Array) -> _Trajectory:
    """Join a subtree to the trajectory; from one that turned or diverged, take only the counts."""
    valid = ~new.turning & ~new.diverging
    # A leaf that was drawn is taken before the whole is checked: the check ends the trajectory, it does not
    # invalidate it (Betancourt 2017, A.3.2: biased progressive sampling).
    fits = old.depth < old.room.depth
    taken = valid & ~fits & (uniform * old.weight < new.weight)
    inner_old = lax.dynamic_slice_in_dim(old.ends, forward, 1)[0, 1]
    outer_old = lax.dynamic_slice_in_dim(old.ends, 1 - forward, 1)[0, 1]
    total = old.total_momentum + new.total_momentum
    is_single, is_whole = growth.is_single(old.depth), growth.is_whole(old.depth)
    turning = lax.cond(
        is_single,
        lambda: is_whole & group_turns(outer_old, inner_old, new.edge.momentum, total),
        lambda: is_turning(
            outer_old,
            inner_old,
            old.total_momentum,
            new.room.first_momentum,
            new.edge.momentum,
            new.total_momentum,
        ),
    )
    end = jnp.where(valid, jnp.stack(new.edge), lax.dynamic_index_in_dim(old.ends, forward, 0, False))
    larger = jnp.abs(new.max_energy_error) > jnp.abs(old.max_energy_error)
    return _Trajectory(
        depth=old.depth + 1,
        # Of three that are not complete the chain stays at its own: with none joined only slot 0 is left.
        joined=jnp.where(valid, old.joined + 1, jnp.where(is_single, 0, old.joined)),
        ends=lax.dynamic_update_slice(old.ends, end[None], (forward, 0, 0)),
        notes=jax.tree.map(
            lambda notes, note: lax.dynamic_update_index_in_dim(notes, note, forward, 0),
            old.notes,
            new.notes,
        ),
        total_momentum=total,
        drawn=jnp.where(taken, _free_slot(old), old.drawn),
        weight=old.weight + new.weight,
        in_room=old.in_room.joined_by(jnp.where(valid & fits, new.weight, 0.0), forward == 1),
        leaves=old.leaves + new.leaves,
        acceptance=old.acceptance + new.acceptance,
        symmetric_acceptance=old.symmetric_acceptance + new.symmetric_acceptance,
        max_energy_error=jnp.where(larger, new.max_energy_error, old.max_energy_error),
        turning=turning | new.turning,
        diverging=new.diverging,
        room=new.room,
    )
