"""Single transitions, each in room that another one seems to have left full of NaN."""

import jax
import jax.numpy as jnp

from exmc_actors.kernel import ensemble, room_for, transition
from exmc_actors.kernel.room import MOST_BYTES


def bytes_for(leaves, dim):
    """Return how many bytes are enough for the leaves of one chain, and no more."""
    return leaves * 8 * (2 * dim + 2)


def used(room):
    return jax.tree.map(lambda array: jnp.full_like(array, jnp.nan), room)


def moved(density_and_gradient, start, *rest, most_bytes=MOST_BYTES, **options):
    """Return the next point and the report; the arguments are those of ``transition``, but for the room."""
    *rest, max_depth = rest
    room = used(room_for(max_depth, len(start.position), most_bytes=most_bytes))
    return transition(density_and_gradient, start, *rest, max_depth, room, **options)[:2]


def moved_in_lanes(density_and_gradient, start, *rest, most_bytes=MOST_BYTES):
    """Return the next points and the reports of chains in lanes."""
    *rest, max_depth = rest
    room = used(room_for(max_depth, *start.position.shape, most_bytes=most_bytes))
    return ensemble.transition(density_and_gradient, start, *rest, max_depth, room)[:2]
