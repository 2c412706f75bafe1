"""Measure nanoseconds of a leapfrog step inside a whole block as users run it, beside those of a bare step.

The bare step stands in one folded loop of its own, under the metric that a run ended with, its low-rank loop
included; it walks sixteen steps forward and sixteen back, so that it stays where the posterior is.  The
block is the executable that a run calls: the tree, the warmup's code, rows and constrained values.  Each turn
runs the bare loop, the block at the run's own step size, and the block at a quarter of it, so that whatever
else the machine does hits all.  Trees of two sizes tell what is paid for a transition from what is paid for a
leaf.  Reported are medians and minima over the turns; on a busy machine the minima are worth more.

``python benchmarks/kernel.py`` takes some minutes and prints a JSON line a model; ``--models`` and
``--turns`` shorten it.
"""

import argparse
import json
import os
import platform
import statistics
import time
from importlib.metadata import version

if hasattr(os, "sched_setaffinity"):  # before any library counts the processors
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import jax
import jax.numpy as jnp
import numpy as np
import suite
import trio
from overhead import STEPS, supervised

import exmc_actors as ex
from exmc_actors.kernel.hamiltonian import leapfrog, phase_point
from exmc_actors.runtime import executables_for
from exmc_actors.warmup import Schedule
from exmc_actors.xla import is_folded, precise

SECONDS = 0.004
"""Of a turn of each: longer than a call costs by far, and short enough to be left alone now and then."""
LARGEST = 50_000
FINER = 4.0
WANTED_NS, WANTED_RATIO = 200.0, 1.2


class Bare:
    """Leapfrog steps and nothing else."""

    def __init__(self, program, state):
        self._arguments = program.arguments
        self._state = state
        with precise():
            loop = jax.jit(lambda *args: self._steps(program, *args))
            self._loop = loop.lower(state, np.int64(1), self._arguments).compile()
        self.folded = is_folded(self._loop.as_text())

    @staticmethod
    def _steps(program, state, count, arguments):
        density = jax.value_and_grad(lambda q: program.log_density_at(q, arguments))
        origin, step_size = state.point.position, jnp.exp(state.step_size.log_average)

        def step(number, carry):
            here, total = carry
            signed = jnp.where((number >> 4) & 1 == 1, -step_size, step_size)
            here, point = leapfrog(density, origin, here, signed, state.metric)
            return here, total + point.log_density

        momentum = jnp.full_like(origin, 0.5)
        return jax.lax.fori_loop(0, count, step, (phase_point(state.point, momentum, state.metric), 0.0))

    def run(self, count):
        """Return the seconds of a step."""
        with precise():
            began = time.perf_counter()
            jax.block_until_ready(self._loop(self._state, np.int64(count), self._arguments))
            return (time.perf_counter() - began) / count


class Whole:
    """The executable of a run, from one block to the next."""

    def __init__(self, program, state, finer=1.0):
        self._executables = executables_for(program, 10)
        self._arguments = self._executables.put(program.arguments)
        log_step = np.float64(state.step_size.log_average - np.log(finer))
        self._state = state._replace(step_size=state.step_size._replace(log_average=log_step))
        self.folded = self._executables.compile_advance(self._arguments).is_folded
        self.transitions = self.leaves = 0

    def run(self, count):
        """Return the seconds of a leaf and how many there are in a transition."""
        chains = [(self._state, min(count, self._executables.capacity))]
        began = time.perf_counter()
        (block,) = self._executables.advance(chains, self._arguments, Schedule(0), 0.8, 0.0)
        took = time.perf_counter() - began
        self._state = block.state
        leaves = block.stats[:, STEPS].sum()
        self.transitions, self.leaves = self.transitions + len(block.stats), self.leaves + leaves
        return took / leaves

    @property
    def size(self):
        """The mean leaves of a transition."""
        return self.leaves / self.transitions


def count_for(run):
    """Return how many make a turn; found in rounds, since a call's own time weighs on the first ones."""
    count = 50
    for _ in range(5):
        count = max(20, min(LARGEST, int(count * SECONDS / min(wall(run, count) for _ in range(5)))))
    return count


def wall(run, count):
    began = time.perf_counter()
    run(count)
    return time.perf_counter() - began


def measure(name, turns):
    program = ex.compile(suite.MODELS[name](**suite.DATA[name]()))
    _, (state, *_) = trio.run(supervised, program, 200, 1)
    bare, whole, finer = Bare(program, state), Whole(program, state), Whole(program, state, FINER)
    runs = [bare.run, whole.run, finer.run]
    counts = [count_for(run) for run in runs]
    times = (
        np.array([[run(count) for run, count in zip(runs, counts, strict=True)] for _ in range(turns)]) * 1e9
    )
    least, median = times.min(axis=0), np.median(times, axis=0)
    leaf = (least[2] * finer.size - least[1] * whole.size) / (finer.size - whole.size)
    return {
        "model": name,
        "dim": program.dim,
        "rank": int(state.metric.rank),
        "bare_ns": {"least": round(least[0], 1), "median": round(median[0], 1)},
        "whole_ns": {"least": round(least[1], 1), "median": round(median[1], 1)},
        "difference_ns": round(least[1] - least[0], 1),
        "ratio": round(least[1] / least[0], 3),
        "ratio_median": round(statistics.median(times[:, 1] / times[:, 0]), 3),
        "leaves": round(whole.size, 2),
        "per_leaf_ns": round(leaf, 1),
        "per_transition_ns": round((least[1] - leaf) * whole.size, 1),
        "as_wanted": verdict(program.dim, *least[:2]),
        "folded": bare.folded and whole.folded,
        "machine": platform.machine(),
        "jax": version("jax"),
    }


def verdict(dim, bare, whole):
    """Say whether a step costs what it may; None where nothing is wanted."""
    if bare > 1000.0:
        return bool(whole <= WANTED_RATIO * bare)
    return bool(whole <= bare + WANTED_NS) if dim <= 10 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=list(suite.MODELS), choices=suite.MODELS)
    parser.add_argument("--turns", type=int, default=200)
    options = parser.parse_args()
    for name in options.models:
        print(json.dumps(measure(name, options.turns)), flush=True)


if __name__ == "__main__":
    main()
