"""Make one NUTS transition in every lane, all lanes at the same depth; see ``kernel.nuts`` for the algorithm.

Depth, leaf and slots are numbers that all lanes share, so that everything is updated in place; the loops run
until the last lane has ended.  What a lane finds is a function of that lane alone, to the bit.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from exmc_actors.kernel.ensemble.algebra import energy, is_turning, is_turning_across, whitened
from exmc_actors.kernel.ensemble.subtree import Counts, Subtree, Walk, build_subtree, choose
from exmc_actors.kernel.hamiltonian import DensityAndGradient, PhasePoint, Point
from exmc_actors.kernel.metric import Metric
from exmc_actors.kernel.nuts import Transition
from exmc_actors.kernel.random import transition_words, uniform_at


class _Trajectory(NamedTuple):
    """See ``kernel.nuts``; each array with the lanes on its last axis, but for the depth."""

    depth: Array
    """Of the lanes that go on."""
    goes_on: Array
    depths: Array
    backward: PhasePoint
    forward: PhasePoint
    total_momentum: Array
    proposal: Point
    proposal_energy: Array
    counts: Counts
    max_energy_error: Array
    turning: Array
    diverging: Array


def transition(  # noqa: PLR0913 - what a transition is a function of
    density_and_gradient: DensityAndGradient,
    start: Point,
    key: Array,
    index: Array,
    step_size: Array,
    metric: Metric,
    used: Array,
    max_depth: int,
    jitter: Array | float = 0.0,
) -> tuple[Point, Transition]:
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
      jitter: of the step sizes, as ``kernel.transition`` has it.

    Returns:
      The next points and the reports, as ``kernel.transition`` gives them for one chain.
    """
    dim, width = start.position.shape
    words = jax.vmap(transition_words, in_axes=(-1, 0, None), out_axes=-1)(key, index, dim)
    initial_energy = energy(start.log_density, words.normals)
    step_size = step_size * (1.0 + jitter * (2.0 * words.step_uniform - 1.0))
    walk = Walk(density_and_gradient, start.position, metric, initial_energy, words.leaf_seed, max_depth)
    end = PhasePoint(jnp.zeros((dim, width)), words.normals, whitened(metric, start.gradient))
    zero, none, no = jnp.zeros(width), jnp.zeros(width, jnp.int64), jnp.zeros(width, bool)
    single_points = _Trajectory(
        depth=jnp.zeros((), jnp.int64),
        goes_on=used,
        depths=none,
        backward=end,
        forward=end,
        total_momentum=words.normals,
        proposal=start,
        proposal_energy=initial_energy,
        counts=Counts(none, jnp.ones(width), zero, zero),
        max_energy_error=zero,
        turning=no,
        diverging=no,
    )

    def double(trajectory: _Trajectory) -> _Trajectory:
        forward = ((words.directions >> trajectory.depth.astype(jnp.uint64)) & 1) == 1
        subtree = build_subtree(
            walk,
            trajectory.goes_on,
            _choose_end(forward, trajectory.forward, trajectory.backward),
            start,
            trajectory.depth,
            jnp.where(forward, step_size, -step_size),
        )
        return _merge(trajectory, subtree, forward, uniform_at(words.merge_seed, trajectory.depth))

    def goes_on(trajectory: _Trajectory) -> Array:
        return (trajectory.depth < max_depth) & jnp.any(trajectory.goes_on)

    last = lax.while_loop(goes_on, double, single_points)
    return last.proposal, _report(last, step_size, max_depth)


def _merge(old: _Trajectory, new: Subtree, forward: Array, uniform: Array) -> _Trajectory:
    """Join the subtrees to their trajectories; from one that turned or diverged, take only the counts."""
    valid = old.goes_on & ~new.turning & ~new.diverging
    taken = valid & (uniform * old.counts.weight < new.counts.weight)
    inner_old = jnp.where(forward, old.forward.momentum, old.backward.momentum)
    outer_old = jnp.where(forward, old.backward.momentum, old.forward.momentum)
    total = old.total_momentum + new.total_momentum
    turning = is_turning(outer_old, new.edge.momentum, total) | is_turning_across(
        outer_old,
        inner_old,
        old.total_momentum,
        new.openings[0, 0],
        new.edge.momentum,
        new.total_momentum,
    )
    larger = jnp.abs(new.max_energy_error) > jnp.abs(old.max_energy_error)
    return _Trajectory(
        depth=old.depth + 1,
        goes_on=valid & ~turning,
        depths=old.depths + old.goes_on,
        backward=_choose_end(forward, old.backward, new.edge),
        forward=_choose_end(forward, new.edge, old.forward),
        total_momentum=total,
        proposal=choose(taken, new.proposal, old.proposal),
        proposal_energy=jnp.where(taken, new.proposal_energy, old.proposal_energy),
        counts=Counts(*(a + b for a, b in zip(old.counts, new.counts, strict=True))),
        max_energy_error=jnp.where(larger, new.max_energy_error, old.max_energy_error),
        turning=old.turning | (old.goes_on & (turning | new.turning)),
        diverging=old.diverging | new.diverging,
    )


def _report(last: _Trajectory, step_size: Array, max_depth: int) -> Transition:
    leaves = last.counts.leaves.astype(jnp.float64)
    return Transition(
        acceptance_rate=last.counts.acceptance / leaves,
        symmetric_acceptance_rate=last.counts.symmetric_acceptance / leaves,
        step_size=step_size,
        tree_depth=last.depths,
        n_steps=last.counts.leaves,
        diverging=last.diverging,
        energy=last.proposal_energy,
        max_energy_error=last.max_energy_error,
        reached_max_treedepth=(last.depths == max_depth) & ~last.turning & ~last.diverging,
    )


def _choose_end(condition: Array, one: PhasePoint, other: PhasePoint) -> PhasePoint:
    return PhasePoint(*(jnp.where(condition, a, b) for a, b in zip(one, other, strict=True)))
