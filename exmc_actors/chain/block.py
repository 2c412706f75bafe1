"""Advance one chain by a block of transitions in one compiled call, warmup and sampling alike.

The number of transitions is an argument and the number of rows to write into is fixed, so that one
executable serves every block, and cutting a chain into other blocks changes no bit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from exmc_actors.chain.start import LogDensityAt
from exmc_actors.chain.state import ChainState
from exmc_actors.kernel import Point, Transition, transition
from exmc_actors.messages import STATS
from exmc_actors.warmup import adapt, step_size_of

ValuesAt = Callable[[Array, Any], Array]
"""Maps a position and the program's arguments to all constrained values, shape (v,)."""


@dataclass(frozen=True)
class Sampler:
    """What an executable is made of; everything else is an argument."""

    log_density_at: LogDensityAt
    values_at: ValuesAt
    max_treedepth: int


class Rows(NamedTuple):
    """Where a call writes; rows from the number of transitions on keep what was there."""

    pairs: Array
    """Unconstrained positions and their gradients, shape (capacity, 2, d)."""
    stats: Array
    """Sample statistics in the order of ``messages.STATS``, shape (capacity, 9)."""
    values: Array
    """Constrained values, shape (capacity, v)."""


def empty_rows(capacity: int, dim: int, values: int) -> Rows:
    """Return rows to write into, on the host."""
    shapes = (capacity, 2, dim), (capacity, len(STATS)), (capacity, values)
    zeros: Any = [np.zeros(shape) for shape in shapes]
    return Rows(*zeros)


class Block(NamedTuple):
    """What one call returns."""

    state: ChainState
    """The state that follows."""
    rows: Rows


def advance(
    sampler: Sampler,
    state: ChainState,
    arguments: Sequence[Any],
    transitions: Array,
    tune: Array,
    early: Array,
    target_accept: Array,
    rows: Rows,
) -> Block:
    """Make the next transitions of a chain.

    Args:
      sampler: what is compiled in.
      state: where the chain stands.
      arguments: the program's arrays.
      transitions: how many to make, at most as many as there are rows.
      tune: how many of the chain's transitions adapt the step size.
      early: how many of them are far from stationarity.
      target_accept: what warmup aims at.
      rows: where to write; donated, so that no call has to clear them.
    """
    density_and_gradient = jax.value_and_grad(lambda q: sampler.log_density_at(q, arguments))

    def make(carry: tuple[Array, ChainState, Array, Array]) -> tuple[Array, ChainState, Array, Array]:
        row, state, pairs, stats = carry
        index, is_warmup = state.transitions, state.transitions < tune
        step_size = step_size_of(state.step_size, is_warmup)
        point, report = transition(
            density_and_gradient,
            state.point,
            state.key,
            index,
            step_size,
            state.metric,
            sampler.max_treedepth,
        )
        adapted = lax.cond(
            is_warmup,
            lambda: adapt(state.step_size, index, early, report, target_accept),
            lambda: state.step_size,
        )
        pair = jnp.stack([point.position, point.gradient])
        pairs = lax.dynamic_update_slice(pairs, pair[None], (row, 0, 0))
        stats = lax.dynamic_update_slice(stats, _stats_row(point, report, step_size)[None], (row, 0))
        return row + 1, ChainState(state.key, index + 1, point, state.metric, adapted), pairs, stats

    zero = jnp.zeros((), jnp.int64)
    begun = zero, state, rows.pairs, rows.stats
    _, state, pairs, stats = lax.while_loop(lambda carry: carry[0] < transitions, make, begun)

    def constrain(row: Array, values: Array) -> Array:
        position = lax.dynamic_slice_in_dim(pairs, row, 1)[0, 0]
        return lax.dynamic_update_slice(values, sampler.values_at(position, arguments)[None], (row, 0))

    # Row by row, not vectorised over the block: a row's last bit must not depend on where it stands.
    values = lax.fori_loop(zero, transitions, constrain, rows.values)
    return Block(state, Rows(pairs, stats, values))


def _stats_row(point: Point, report: Transition, step_size: Array) -> Array:
    by_name = {
        "lp": point.log_density,
        "acceptance_rate": report.acceptance_rate,
        "step_size": step_size,
        "tree_depth": report.tree_depth,
        "n_steps": report.n_steps,
        "diverging": report.diverging,
        "energy": report.energy,
        "max_energy_error": report.max_energy_error,
        "reached_max_treedepth": report.reached_max_treedepth,
    }
    return jnp.stack([by_name[name].astype(jnp.float64) for name in STATS])
