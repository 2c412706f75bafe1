"""Advance one chain by a block of transitions in one compiled call, warmup and sampling alike.

The number of transitions is an argument and the number of rows to write into is fixed, so that one
executable serves every block, and cutting a chain into other blocks changes no bit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from exmc_actors.chain.start import LogDensityAt
from exmc_actors.chain.state import ChainState
from exmc_actors.kernel import Kernel, Nuts, Point, Room, Transition, room_for, transition
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
    kernel: Kernel = field(default_factory=Nuts)


class WarmupSettings(NamedTuple):
    """How a chain adapts its step size."""

    tune: Any
    """How many of its transitions do."""
    early: Any
    """How many of them are far from stationarity."""
    target_accept: Any
    """What they aim at."""


@dataclass(frozen=True)
class Columns:
    """What the columns of a block's rows hold: values, statistics, the position and its gradient."""

    dim: int
    values: int

    @classmethod
    def of_width(cls, dim: int, columns: int) -> "Columns":
        """Return the layout of so many columns."""
        return cls(dim, columns - len(cls(dim, 0)))

    def __len__(self) -> int:
        """Return how many there are."""
        return self.values + len(STATS) + 2 * self.dim

    @property
    def kept(self) -> int:
        """How many of them, the first ones, are of interest once the warmup is over."""
        return self.values + len(STATS)

    def values_of(self, rows: Any) -> Any:
        """Return the constrained values, shape (n, v)."""
        return rows[:, : self.values]

    def stats_of(self, rows: Any) -> Any:
        """Return the sample statistics in the order of ``messages.STATS``, shape (n, 9)."""
        return rows[:, self.values : self.values + len(STATS)]

    def pairs_of(self, rows: Any) -> Any:
        """Return the unconstrained positions and their gradients, shape (n, 2, d)."""
        return rows[:, self.values + len(STATS) :].reshape(len(rows), 2, self.dim)


class Block(NamedTuple):
    """What one call returns."""

    state: ChainState
    """The state that follows."""
    rows: Array
    """Those after the transitions that were made keep what was there."""


def advance(
    sampler: Sampler,
    state: ChainState,
    arguments: Sequence[Any],
    transitions: Array,
    first_row: Array,
    warmup: WarmupSettings,
    jitter: Array,
    rows: Array,
) -> Block:
    """Make the next transitions of a chain.

    Args:
      sampler: what is compiled in.
      state: where the chain stands.
      arguments: the program's arrays.
      transitions: how many to make, at most as many as there are rows from ``first_row`` on.
      first_row: where their rows begin.
      warmup: the same for all blocks of a run.
      jitter: of the step size, in warmup and after; the same for all blocks of a run.
      rows: where to write, shape (capacity, columns); donated, so that no call has to clear them.
    """
    density_and_gradient = jax.value_and_grad(lambda q: sampler.log_density_at(q, arguments))
    dim = state.point.position.shape[0]
    columns = Columns.of_width(dim, rows.shape[1])

    def make(carry: tuple[Array, ChainState, Array, Room]) -> tuple[Array, ChainState, Array, Room]:
        row, state, rows, room = carry
        index, is_warmup = state.transitions, state.transitions < warmup.tune
        step_size = step_size_of(state.step_size, is_warmup)
        point, report, room = transition(
            density_and_gradient,
            state.point,
            state.key,
            index,
            step_size,
            state.metric,
            sampler.max_treedepth,
            room,
            jitter,
            sampler.kernel.while_early(index < warmup.early),
        )
        adapted = lax.cond(
            is_warmup,
            lambda: adapt(state.step_size, index, warmup.early, report, warmup.target_accept),
            lambda: state.step_size,
        )
        made = jnp.concatenate([stats_row(point, report), point.position, point.gradient])
        rows = lax.dynamic_update_slice(rows, made[None], (row, columns.values))
        return row + 1, ChainState(state.key, index + 1, point, state.metric, adapted), rows, room

    end, room = first_row + transitions, room_for(sampler.max_treedepth, dim)
    _, state, rows, _ = lax.while_loop(lambda carry: carry[0] < end, make, (first_row, state, rows, room))

    def constrain(row: Array, rows: Array) -> Array:
        position = lax.dynamic_slice(rows, (row, columns.kept), (1, dim))[0]
        return lax.dynamic_update_slice(rows, sampler.values_at(position, arguments)[None], (row, 0))

    # Row by row, not vectorised over the block: a row's last bit must not depend on where it stands.
    return Block(state, lax.fori_loop(first_row, end, constrain, rows))


def stats_row(point: Point, report: Transition) -> Array:
    """Return the statistics of a transition in the order of ``messages.STATS``; lanes stay the last axis."""
    by_name = {
        "lp": point.log_density,
        "acceptance_rate": report.acceptance_rate,
        "step_size": report.step_size,
        "tree_depth": report.tree_depth,
        "n_steps": report.n_steps,
        "diverging": report.diverging,
        "energy": report.energy,
        "max_energy_error": report.max_energy_error,
        "reached_max_treedepth": report.reached_max_treedepth,
    }
    return jnp.stack([by_name[name].astype(jnp.float64) for name in STATS])
