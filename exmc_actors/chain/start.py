"""Find a chain's first point, metric and step size; whether the point is usable is told, not raised."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from exmc_actors.chain.state import ChainState
from exmc_actors.kernel import Point, StepSizeSearch, after_try, begin_search
from exmc_actors.kernel.hamiltonian import energy, leapfrog, phase_point
from exmc_actors.kernel.random import transition_words
from exmc_actors.warmup import dual_averaging, first_metric, rank_capacity

LogDensityAt = Callable[[Array, Any], Array]
"""Maps a position and the program's arguments to the log density."""

TRIES = 100
RANDOM_RADIUS = 2.0
"""Of a random start around zero: Stan's and nutpie's; 1 did neither better nor worse."""
_START_INDEX = 2**31 - 1  # fold_in has the counters (0, this): those of no word, since no position is so long


class Started(NamedTuple):
    """A chain before its first transition."""

    state: ChainState
    is_finite: Array
    """Whether log density and gradient are finite there; if not, the chain must not be run."""


class _Search(NamedTuple):
    """How far the search for a point is, and then that for a step size."""

    tries: Array
    point: Point
    """Tried last: where it is finite, it is the start."""
    step_size: StepSizeSearch


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
    momentum = transition_words(key, _START_INDEX - 1, dim).normals

    def look(search: _Search) -> _Search:
        """Try the next position; or, once there is a point, the next step size from it."""
        is_found, metric = _is_finite(search.point), first_metric(search.point.gradient, rank_capacity(dim))
        within = jax.random.uniform(jax.random.fold_in(seed, search.tries), (dim,), jnp.float64, -1.0, 1.0)
        candidate = centre + radius * within
        # One evaluation for both: each copy of a log density may take seconds to compile.
        end, reached = leapfrog(
            lambda q: density_and_gradient(jnp.where(is_found, q, candidate)),
            search.point.position,
            phase_point(search.point, momentum, metric),
            search.step_size.step_size,
            metric,
        )
        error = energy(reached.log_density, end.momentum) - energy(search.point.log_density, momentum)
        tried = _Search(search.tries + 1, reached._replace(position=candidate), search.step_size)
        stepped = search._replace(step_size=after_try(search.step_size, error, target_accept))
        after: _Search = jax.tree.map(lambda a, b: jnp.where(is_found, a, b), stepped, tried)
        return after

    def goes_on(search: _Search) -> Array:
        return jnp.where(_is_finite(search.point), ~search.step_size.is_over, search.tries < tries_allowed)

    nowhere = Point(centre, jnp.asarray(jnp.nan), jnp.zeros(dim))
    _, point, found = lax.while_loop(
        goes_on, look, _Search(jnp.zeros((), jnp.int64), nowhere, begin_search())
    )
    metric = first_metric(point.gradient, rank_capacity(dim))
    step_size = dual_averaging.start(found.step_size)
    state = ChainState(key, jnp.zeros((), jnp.int64), point, metric, step_size)
    return Started(state, _is_finite(point))


def _is_finite(point: Point) -> Array:
    return jnp.isfinite(point.log_density) & jnp.all(jnp.isfinite(point.gradient))
