"""Advance many chains by a block of transitions in one compiled call, in lockstep, a lane each.

All lanes make the same number of transitions, each from where its own chain stands.  A chain's bits do not
depend on what the other lanes hold; they are not those that ``chain.block`` gives it, whose sums are ordered
otherwise.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from exmc_actors.chain.block import Columns, WarmupSettings, stats_row
from exmc_actors.chain.packing import Packing, pack_lanes
from exmc_actors.chain.state import ChainState, empty_state
from exmc_actors.kernel import Room, ensemble, room_for
from exmc_actors.warmup import adapt, step_size_of

SMALLEST_WIDTH = 8
"""Doubles in the widest vector register: a lane costs nothing until there are so many."""

_FLAG: Any = np.zeros((), np.bool_)
_COUNT: Any = np.zeros((), np.int64)
_REAL: Any = np.zeros((), np.float64)


@dataclass(frozen=True)
class EnsembleSampler:
    """What the executable of an ensemble is made of: functions of positions, the lanes on the last axis."""

    density_and_gradient_at: Callable[[Array, Any], tuple[Array, Array]]
    """Maps positions, shape (d, w), and the program's arguments to log densities and gradients."""
    values_at: Callable[[Array, Any], Array]
    """Maps them to all constrained values, shape (v, w)."""
    max_treedepth: int


class _Lane(NamedTuple):
    """What goes into a lane."""

    state: ChainState
    used: Any


class _Shared(NamedTuple):
    """What is the same for all lanes."""

    transitions: Any
    warmup: WarmupSettings
    jitter: Any


class Ensemble:
    """How chains of so many dimensions are put into the lanes of one kernel, and the function to compile."""

    def __init__(self, sampler: EnsembleSampler, dim: int, width: int) -> None:
        """Lay out the lanes.

        Args:
          sampler: what is compiled in.
          dim: of the positions.
          width: how many lanes there are; those that hold no chain cost as much as those that do.
        """
        state: Any = empty_state(dim)
        self._sampler = sampler
        self.width = width
        self._lane = Packing(_Lane(state, _FLAG))
        self._shared = Packing(_Shared(_COUNT, WarmupSettings(_COUNT, _COUNT, _REAL), _REAL))
        self._advanced = Packing(_without_metric(state))

    def ask(
        self, states: Mapping[int, ChainState], transitions: int, warmup: WarmupSettings, jitter: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the first arguments of ``advance``: a row a lane, and what all lanes share.

        Args:
          states: by number of the lane.
          transitions: how many each of them makes.
          warmup: the same for all blocks of a run.
          jitter: of the step size.
        """
        rows, shared = np.zeros((self.width, self._lane.size)), np.zeros(self._shared.size)
        for lane, state in states.items():
            self._lane.pack(_Lane(state, True), rows[lane])
        self._shared.pack(_Shared(transitions, warmup, jitter), shared)
        return rows, shared

    def advanced(self, results: np.ndarray, states: Mapping[int, ChainState]) -> dict[int, ChainState]:
        """Return the states that ``advance`` led to; each shares the metric that it came with."""
        return {
            lane: self._advanced.unpack(results[lane])._replace(metric=before.metric)
            for lane, before in states.items()
        }

    def advance(self, lanes: Array, shared: Array, rows: Array, arguments: Any) -> tuple[Array, Array]:
        """Make the next transitions of the chains in the lanes; to be compiled, with ``rows`` donated.

        Args:
          lanes: what ``ask`` returned.
          shared: likewise.
          rows: where to write, shape (capacity, columns, width).
          arguments: the program's arrays.

        Returns:
          What ``advanced`` takes, and the rows.
        """
        given: _Lane = self._lane.unpack(lanes.T)
        told: _Shared = self._shared.unpack(shared)
        columns = Columns.of_width(given.state.point.position.shape[0], rows.shape[1])

        def make(carry: tuple[Array, ChainState, Array, Room]) -> tuple[Array, ChainState, Array, Room]:
            row, state, rows, room = carry
            state, made, room = self._step(state, given.used, told, arguments, room)
            rows = lax.dynamic_update_slice(rows, made[None], (row, columns.values, 0))
            return row + 1, state, rows, room

        first = jnp.zeros_like(told.transitions)
        room = room_for(self._sampler.max_treedepth, columns.dim, self.width)
        _, state, rows, _ = lax.while_loop(
            lambda carry: carry[0] < told.transitions, make, (first, given.state, rows, room)
        )

        def constrain(row: Array, rows: Array) -> Array:
            size = (1, columns.dim, self.width)
            positions = lax.dynamic_slice(rows, (row, columns.kept, 0), size)[0]
            values = self._sampler.values_at(positions, arguments)
            return lax.dynamic_update_slice(rows, values[None], (row, 0, 0))

        rows = lax.fori_loop(first, told.transitions, constrain, rows)
        return pack_lanes(_without_metric(state), self.width).T, rows

    def _step(
        self, state: ChainState, used: Array, told: _Shared, arguments: Any, room: Room
    ) -> tuple[ChainState, Array, Room]:
        """Make one transition in each lane; return what follows it, its row without values, and the room."""
        warmup, is_warmup = told.warmup, state.transitions < told.warmup.tune
        step_size = step_size_of(state.step_size, is_warmup)
        point, report, room = ensemble.transition(
            lambda positions: self._sampler.density_and_gradient_at(positions, arguments),
            state.point,
            state.key,
            state.transitions,
            step_size,
            state.metric,
            used,
            self._sampler.max_treedepth,
            room,
            told.jitter,
        )

        def adapted() -> Any:
            after = adapt(state.step_size, state.transitions, warmup.early, report, warmup.target_accept)
            return jax.tree.map(lambda a, b: jnp.where(is_warmup, a, b), after, state.step_size)

        learnt = lax.cond(jnp.any(is_warmup), adapted, lambda: state.step_size)
        made = jnp.concatenate([stats_row(point, report), point.position, point.gradient])
        return ChainState(state.key, state.transitions + 1, point, state.metric, learnt), made, room


def _without_metric(state: ChainState) -> Any:
    nothing: Any = ()
    return state._replace(metric=nothing)
