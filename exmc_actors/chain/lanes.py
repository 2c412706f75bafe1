"""Start or advance several chains in one compiled call, one after the other, each in a lane of its own.

A call costs some tens of microseconds, and each array of its arguments some more; a short block of a small
model takes less.  So a lane's arguments are one row of numbers, and so are its results.  A chain's bits do
not depend on its lane, nor on what the others hold: how many lanes are used is an argument.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from exmc_actors.chain.block import Sampler, WarmupSettings, advance
from exmc_actors.chain.packing import Packing, pack_traced
from exmc_actors.chain.start import Started, start
from exmc_actors.chain.state import ChainState, empty_state

MOST_LANES = 8
_MOST_NUMBERS = 1 << 15
"""Of the states that go into a call, used or not: a quarter of a megabyte."""

_REAL: Any = np.zeros((), np.float64)
_COUNT: Any = np.zeros((), np.int64)
_FLAG: Any = np.zeros((), np.bool_)


class ToStart(NamedTuple):
    """What starts a chain."""

    key: Any
    centre: Any
    radius: Any
    target_accept: Any


class ToAdvance(NamedTuple):
    """What makes a block of a chain's transitions."""

    state: ChainState
    transitions: Any
    first_row: Any
    """Where its rows begin."""
    warmup: WarmupSettings
    jitter: Any


class Lanes:
    """How chains of so many dimensions are put into lanes, and the functions to compile for them."""

    def __init__(self, sampler: Sampler, dim: int) -> None:
        """Lay out the lanes."""
        state: Any = empty_state(dim)
        self._sampler = sampler
        self._to_start = Packing(ToStart(state.key, state.point.position, _REAL, _REAL))
        self._started = Packing(Started(state, _FLAG))
        self._to_advance = Packing(
            ToAdvance(state, _COUNT, _COUNT, WarmupSettings(_COUNT, _COUNT, _REAL), _REAL)
        )
        self._advanced = Packing(_without_metric(state))
        self.count = max(1, min(MOST_LANES, _MOST_NUMBERS // self._to_advance.size))
        """How many there are."""

    def ask_to_start(self, asked: Sequence[ToStart]) -> np.ndarray:
        """Return the first argument of ``start``: a row a lane."""
        return self._in_rows(self._to_start, asked)

    def ask_to_advance(self, asked: Sequence[ToAdvance]) -> np.ndarray:
        """Return the first argument of ``advance``: a row a lane."""
        return self._in_rows(self._to_advance, asked)

    def started(self, results: np.ndarray, used: int) -> list[Started]:
        """Return what ``start`` made in the lanes that were used."""
        started: list[Started] = [self._started.unpack(row) for row in results[:used]]
        return started

    def advanced(self, results: np.ndarray, asked: Sequence[ToAdvance]) -> list[ChainState]:
        """Return the states that ``advance`` led to; each shares the metric that it came with."""
        moved = [self._advanced.unpack(row) for row in results[: len(asked)]]
        return [
            state._replace(metric=before.state.metric) for state, before in zip(moved, asked, strict=True)
        ]

    def start(self, asked: Array, used: Array, arguments: Any) -> Array:
        """Start a chain in each lane that is used; to be compiled."""

        def go(lane: Array, results: Array) -> Array:
            given: ToStart = self._to_start.unpack(_row(asked, lane))
            made = start(self._sampler.log_density_at, given.key, arguments, *given[1:])
            after: Array = lax.dynamic_update_index_in_dim(results, pack_traced(made), lane, 0)
            return after

        empty = jnp.zeros((self.count, self._started.size))
        results: Array = lax.fori_loop(jnp.zeros_like(used), used, go, empty)
        return results

    def advance(self, asked: Array, used: Array, rows: Array, arguments: Any) -> tuple[Array, Array]:
        """Advance the chain in each lane that is used; to be compiled, with ``rows`` donated."""

        def go(lane: Array, made: tuple[Array, Array]) -> tuple[Array, Array]:
            results, rows = made
            given: ToAdvance = self._to_advance.unpack(_row(asked, lane))
            block = advance(self._sampler, given.state, arguments, *given[1:], rows)
            result = pack_traced(_without_metric(block.state))
            return lax.dynamic_update_index_in_dim(results, result, lane, 0), block.rows

        empty = jnp.zeros((self.count, self._advanced.size))
        made: tuple[Array, Array] = lax.fori_loop(jnp.zeros_like(used), used, go, (empty, rows))
        return made

    def _in_rows(self, packing: Packing, asked: Sequence[Any]) -> np.ndarray:
        rows = np.zeros((self.count, packing.size))
        for row, one in zip(rows, asked, strict=False):
            packing.pack(one, row)
        return rows


def _row(rows: Array, lane: Array) -> Array:
    row: Array = lax.dynamic_index_in_dim(rows, lane, 0, keepdims=False)
    return row


def _without_metric(state: ChainState) -> Any:
    """Return what a block changes of a state: a metric is the largest part of it, and stays."""
    nothing: Any = ()
    return state._replace(metric=nothing)
