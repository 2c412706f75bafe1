"""Choose among the leaves of a trajectory the point that the chain moves to.

The weights of the leaves, one after the other in time, divide a circle.  The chain stands at a point of it
that is uniform within the part of its own leaf, and moves on by about half of the circle.  A shift keeps
the uniform distribution on a circle, so that the leaves keep their weights as they do where one is drawn by
weight; but the chain goes far from where it stood, and does not come to stand near it by chance.

By how much more or less than half it moves is uniform over a range, which is a function of the trajectory
and not of where the chain stands in it.  Where the two ends move in opposite directions, half of a period
is behind them, and half of that makes draws independent: the range is nothing.  Where they move alike it was
a whole period; half of it would lead to the mirrored point each time, and squares would not mix: the range
is a quarter of the circle to either side.

Of a trajectory that does not fit into the room, the circle is that of the leaves that do, and the range
that of the whole trajectory; both are the same from each of these leaves.

References:
  Durmus, Gruffaz, Kailas, Saksman and Vihola (2023), *On the convergence of dynamic implementations of
    Hamiltonian Monte Carlo and No U-Turn Samplers*, arXiv 2307.03460: whatever keeps the weights is exact.
  Suwa and Todo (2010), *Markov chain Monte Carlo method without detailed balance*: shifts of stacked weights.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from exmc_actors.kernel.growth import Growth
from exmc_actors.kernel.random import TransitionWords, uniform_at
from exmc_actors.kernel.room import Room

_FURTHEST = 0.25
"""Of the circle, to either side of its half; chosen by what draws are worth, as DECISIONS.md, 50, tells."""


class InRoom(NamedTuple):
    """Weights of the leaves to choose from: those of a trajectory that fit into the room."""

    all: Array
    """Of all of them."""
    before: Array
    """Of those that come before the chain's own in time."""

    def joined_by(self, weight: Array, forward: Array) -> "InRoom":
        """Return the weights with those of a subtree; nothing is its weight if it does not belong to them."""
        return InRoom(self.all + weight, self.before + jnp.where(forward, 0.0, weight))


def leaf_in_room(
    room: Room,
    joined: Array,
    weights: InRoom,
    words: TransitionWords,
    ends: tuple[Array, Array],
    max_depth: int,
    growth: Growth,
) -> Array:
    """Return the slot of the leaf to move to, among those that fit; of chains in lanes, a slot each.

    Args:
      room: what the transition visited.
      joined: how many subtrees belong to the trajectory, whether or not they fit.
      weights: of the leaves that fit.
      words: of the transition.
      ends: the momenta at the ends of the trajectory, likewise.
      max_depth: how often a trajectory can grow, up to which other choices have the counters.
      growth: by how many leaves it does.
    """
    here, shift = (uniform_at(words.choice_seed, jnp.int64(max_depth + choice)) for choice in range(2))
    extensions = jnp.minimum(joined, room.depth)
    return choose(
        room.weight_at, extensions, words.directions, weights, reach_of_shift(*ends), here, shift, growth
    )


def choose(
    weight_at: Callable[[Array], Array],
    extensions: Array,
    directions: Array,
    weights: InRoom,
    reach: Array,
    here: Array,
    shift: Array,
    growth: Growth,
) -> Array:
    """Return the slot of the leaf half the way around, more or less; of chains in lanes, a slot each.

    Args:
      weight_at: maps slots to the weights of the leaves there.  The chain stands at the leaf in slot 0; the
        others are in the order in which they were visited.
      extensions: how many of them the leaves to choose from are of.
      directions: the word that said which went forward in time.
      weights: of these leaves, in sums.
      reach: how much more or less than half of the circle the chain moves at most.
      here: where in the part of its own leaf it stands, uniform on [0, 1).
      shift: how far it moves within its reach, likewise.
      growth: by how many leaves the trajectory grew.
    """
    count, start = growth.size(extensions), growth.start(extensions, directions)
    moved = 0.5 + reach * (2.0 * shift - 1.0)
    target = weights.before + here * weight_at(jnp.zeros_like(start)) + moved * weights.all
    target = jnp.where(target >= weights.all, target - weights.all, target)

    def is_on_the_way(passed: tuple[Array, Array, Array]) -> Array:
        position, sum_, _ = passed
        return (sum_ <= target) & (position < count)

    def pass_by(passed: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        position, sum_, chosen = passed
        weight = jnp.where(is_on_the_way(passed), weight_at(growth.slot_of(position, start)), 0.0)
        # Sums in another order may end below the target: then it is the last leaf that weighs anything.
        return position + 1, sum_ + weight, jnp.where(weight > 0.0, position, chosen)

    nobody = jnp.zeros_like(jnp.max(count)), jnp.zeros_like(reach), jnp.zeros_like(count)
    _, _, chosen = lax.while_loop(lambda passed: jnp.any(is_on_the_way(passed)), pass_by, nobody)
    return growth.slot_of(chosen, start)


def reach_of_shift(first: Array, last: Array) -> Array:
    """Return how much more or less than half of the circle a chain moves at most.

    Args:
      first: momentum at one end of the trajectory, shape (d,) or (d, w).
      last: momentum at the other end.
    """
    norms = jnp.sqrt(jnp.sum(first * first, axis=0) * jnp.sum(last * last, axis=0))
    cosine = jnp.sum(first * last, axis=0) / jnp.where(norms > 0.0, norms, 1.0)
    return _FURTHEST * jnp.sqrt(jnp.maximum(0.5 + 0.5 * cosine, 0.0))
