"""Find a chain's first point, metric and step size; whether the point is usable is told, not raised."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from exmc_actors.chain.state import ChainState
from exmc_actors.kernel import Point, reasonable_step_size
from exmc_actors.kernel.random import transition_words
from exmc_actors.warmup import dual_averaging, first_metric, rank_capacity

LogDensityAt = Callable[[Array, Any], Array]
"""Maps a position and the program's arguments to the log density."""

TRIES = 100
RANDOM_RADIUS = 2.0
"""Of a random start around zero: Stan's and nutpie's; 1 did neither better nor worse."""
_START_INDEX = 2**31 - 1  # no transition has it: fold_in takes 32 bits, and chains are shorter


class Started(NamedTuple):
    """A chain before its first transition."""

    state: ChainState
    is_finite: Array
    """Whether log density and gradient are finite there; if not, the chain must not be run."""


def start(
    log_density_at: LogDensityAt,
    key: Array,
    arguments: Sequence[Any],
    centre: Array,
    radius: Array,
    target_accept: Array,
) -> Started:
    """Start a chain at a given position, or at the first of 100 random ones that has a finite density.

    Random positions are uniform in a cube of the unconstrained space.

    Args:
      log_density_at: the program's log density.
      key: the chain's key data, two uint32.
      arguments: the program's arrays.
      centre: of the cube, shape (d,).
      radius: half the length of the cube's edges; where it is 0, the centre is given, and not tried again.
      target_accept: what the first step size should accept.
    """
    density_and_gradient = jax.value_and_grad(lambda q: log_density_at(q, arguments))
    dim = centre.shape[0]
    tries_allowed = jnp.where(radius == 0.0, 1, TRIES)
    seed = jax.random.fold_in(jax.random.wrap_key_data(key, impl="threefry2x32"), _START_INDEX)

    def attempt(number: Array) -> Point:
        within = jax.random.uniform(jax.random.fold_in(seed, number), (dim,), jnp.float64, -1.0, 1.0)
        candidate = centre + radius * within
        return Point(candidate, *density_and_gradient(candidate))

    def goes_on(carry: tuple[Array, Point]) -> Array:
        tries, point = carry
        return (tries < tries_allowed) & ~_is_finite(point)

    def try_next(carry: tuple[Array, Point]) -> tuple[Array, Point]:
        tries, _ = carry
        return tries + 1, attempt(tries)

    untried = Point(centre, jnp.asarray(jnp.nan), jnp.zeros(dim))
    _, point = lax.while_loop(goes_on, try_next, (jnp.zeros((), jnp.int64), untried))
    metric = first_metric(point.gradient, rank_capacity(dim))
    momentum = transition_words(key, _START_INDEX - 1, dim).normals
    step_size = reasonable_step_size(density_and_gradient, point, momentum, metric, target_accept)
    state = ChainState(key, jnp.zeros((), jnp.int64), point, metric, dual_averaging.start(step_size))
    return Started(state, _is_finite(point))


def _is_finite(point: Point) -> Array:
    return jnp.isfinite(point.log_density) & jnp.all(jnp.isfinite(point.gradient))
