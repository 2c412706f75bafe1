"""Compile a program for ensembles: a block of many chains is one call, in lockstep, a lane each."""

import time
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from exmc_actors.chain import ChainState, Ensemble, EnsembleSampler, WarmupSettings, empty_state
from exmc_actors.chain.ensemble import SMALLEST_WIDTH
from exmc_actors.compiler import Target, in_lanes
from exmc_actors.kernel import Kernel
from exmc_actors.runtime.callbacks import telling_of_callbacks
from exmc_actors.runtime.executables import BUFFER_NUMBERS, SMALLEST_CAPACITY, Executables, Traced
from exmc_actors.runtime.protocol import Advanced
from exmc_actors.warmup import Schedule
from exmc_actors.xla import calling

WIDEST = 64
"""On a CPU; wider ones gain nothing, and wait longer for their last lane."""
WIDEST_ON_GPU = 4096
_BATCHES = 4
"""So many calls at a time keep a few cores busy; with fewer chains in each, a core does less at once."""
_MOST_NUMBERS = 1 << 21
"""Of the states that go into a call: 16 MB."""

NO_MORE_LANES = (
    "the chains of this run advance together, in lanes that are made for as many as there were at first: no "
    "chain can be added. Begin a new run with more chains, or one with ensemble=False."
)


def ensemble_width(chains: int, dim: int, platform: str) -> int:
    """Return how many lanes the calls of a run have: a function of what decides its draws, and of no clock.

    Args:
      chains: of the run.
      dim: of the unconstrained space.
      platform: of the device, by JAX's name.
    """
    is_cpu = platform == "cpu"
    wanted = -(-chains // _BATCHES) if is_cpu else chains
    numbers = sum(leaf.size for leaf in jax.tree.leaves(empty_state(dim)))
    fitting = min(WIDEST if is_cpu else WIDEST_ON_GPU, _MOST_NUMBERS // numbers)
    width = SMALLEST_WIDTH
    while width < wanted and 2 * width <= fitting:
        width *= 2
    return width


class EnsembleExecutables(Executables):
    """As ``Executables``, but that chains advance together."""

    def __init__(self, target: Target, max_treedepth: int, kernel: Kernel, device: Any, width: int) -> None:
        """Compile nothing yet."""
        super().__init__(target, max_treedepth, kernel, device)
        both = jax.value_and_grad(target.log_density_at)
        sampler = EnsembleSampler(
            lambda lanes, arguments: in_lanes(both, lanes, arguments),
            lambda lanes, arguments: in_lanes(target.values_at, lanes, arguments),
            max_treedepth,
        )
        self._ensemble = Ensemble(sampler, target.dim, width)
        fitting = BUFFER_NUMBERS // (len(self._columns) * width)
        self.capacity = min(self.capacity, max(SMALLEST_CAPACITY, fitting))

    def advance_together(
        self,
        states: Mapping[int, ChainState],
        transitions: int,
        arguments: Any,
        schedule: Schedule,
        target_accept: float,
        jitter: float,
    ) -> dict[int, Advanced]:
        """Advance the chains in some lanes; blocks until all have made their transitions.

        Args:
          states: where each stands, by number of its lane.
          transitions: how many each of them makes, at most ``capacity``.
          arguments: what ``put`` returned.
          schedule: of the warmup.
          target_accept: what warmup aims at.
          jitter: of the step size.
        """
        compiled, began = self.compile_advance(arguments), time.perf_counter()
        warmup = WarmupSettings(schedule.tune if schedule.adapts else 0, schedule.early, target_accept)
        assert transitions <= self.capacity
        asked = self._ensemble.ask(states, transitions, warmup, jitter)
        with calling(), telling_of_callbacks():
            results, rows = compiled.call(*asked, self._rows(), arguments)
            after = self._ensemble.advanced(np.asarray(results), states)
            # A chain's rows lie apart in the buffer: all are brought together in one sweep.
            made = np.moveaxis(np.asarray(rows)[:transitions], -1, 0)
            made = np.ascontiguousarray(made[: max(states) + 1])
            self._spare(rows)
        self.advance_pace.observe(transitions, time.perf_counter() - began)
        return {
            lane: Advanced(after[lane], *self._parts(made[lane], bool(state.transitions < schedule.frozen)))
            for lane, state in states.items()
        }

    def _new_rows(self) -> np.ndarray:
        return np.zeros((self.capacity, len(self._columns), self._ensemble.width))

    def _trace_advance(self, arguments: Any) -> Traced:
        function = jax.jit(self._ensemble.advance, donate_argnums=2, keep_unused=True)
        asked = self._ensemble.ask({}, 0, WarmupSettings(0, 0, 0.5), 0.0)
        return self._traced(function, *asked, self._new_rows(), arguments)
