"""Measure what supervision, streaming and commits cost: a supervised run against a bare loop of blocks.

The supervised run is ``open_run`` with a subscriber that reads every message; the bare loop calls the same
executable for as many draws, a chain at a time on each core, and keeps what it returns.  It goes on where the
run ended, so that both walk by one metric and one step size; they are compared by the time for a gradient,
since their draws differ.  They take turns; the median of the ratios is reported.  A second figure is the
fixed cost of a short run: the time of ``sample`` on a warm program beside the calls of its executables.

``python benchmarks/overhead.py`` takes some minutes; ``--draws`` and ``--models`` shorten it.
"""

import argparse
import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import suite
import trio

import exmc_actors as ex
from exmc_actors.messages import STATS
from exmc_actors.runtime import executables_for
from exmc_actors.runtime.block_size import TARGET_SECONDS
from exmc_actors.runtime.executables import Executables
from exmc_actors.warmup import Schedule

CORES, CHAINS = 2, 4
STEPS = STATS.index("n_steps")


@dataclass
class Timed:
    """The time of some draws, and the gradients that they took."""

    seconds: float
    gradients: int

    @property
    def pace(self):
        """Return the seconds of a gradient."""
        return self.seconds / self.gradients


async def supervised(program, draws, seed):
    """Return the time of the draws of all chains, warmup left out, and the states that they end in."""
    options = {"draws": draws, "chains": CHAINS, "cores": CORES, "random_seed": seed}
    began, gradients = None, []
    async with ex.open_run(program, **options) as run, run.subscribe(overflow=ex.WAIT) as feed:
        async for message in feed:
            if isinstance(message, ex.DrawBlock) and message.phase == "sample":
                began = began or time.perf_counter()
                gradients.append(int(message.stats["n_steps"].sum()))
        seconds = time.perf_counter() - began
        # The clock runs from the arrival of the first block: its gradients came before.
        return Timed(seconds, sum(gradients[1:])), [record.state for record in run._log.chains]


def bare(program, states, draws):
    """Return the time of a loop over blocks without anything around it."""
    executables = executables_for(program, 10)
    arguments, frozen = executables.put(program.arguments), Schedule(0)

    def one_chain(state):
        gradients, left, size, kept = 0, draws, 100, []
        while left:
            began = time.perf_counter()
            (block,) = executables.advance([(state, min(size, left))], arguments, frozen, 0.8, 0.0)
            took = time.perf_counter() - began
            size = max(1, min(int(TARGET_SECONDS * len(block.values) / took), executables.capacity))
            state, left = block.state, left - len(block.values)
            gradients += int(block.stats[:, STEPS].sum())
            kept.append(block)
        return gradients

    with ThreadPoolExecutor(CORES) as cores:
        began = time.perf_counter()
        gradients = sum(cores.map(one_chain, states))
        return Timed(time.perf_counter() - began, gradients)


def fixed_cost(program, seeds):
    """Return the seconds of ``sample`` in which none of its executables runs; the least of some runs."""
    inside = []
    originals = {name: getattr(Executables, name) for name in ("start", "advance")}

    def timed(original):
        def call(*args):
            began = time.perf_counter()
            try:
                return original(*args)
            finally:
                inside.append((began, time.perf_counter()))

        return call

    for name, original in originals.items():
        setattr(Executables, name, timed(original))
    try:
        return min(_beside(program, seed, inside) for seed in range(seeds))
    finally:
        for name, original in originals.items():
            setattr(Executables, name, original)


def _beside(program, seed, inside):
    inside.clear()
    began = time.perf_counter()
    ex.sample(program, random_seed=seed, cores=CORES, chains=CHAINS, progressbar=False)
    whole = time.perf_counter() - began
    covered, end = 0.0, began
    for start, stop in sorted(inside):
        covered += max(0.0, stop - max(start, end))
        end = max(end, stop)
    return whole - covered


def measure(name, draws, turns):
    program = ex.compile(suite.MODELS[name](**suite.DATA[name]()))
    ex.sample(program, draws=100, progressbar=False)
    ratios = []
    for seed in range(turns):
        run, states = trio.run(supervised, program, draws, seed)
        ratios.append(run.pace / bare(program, states, draws).pace)
    return {
        "model": name,
        "draws": draws,
        "supervised_over_bare": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "fixed_ms": round(1e3 * fixed_cost(program, 12), 1),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["eight_schools", "logistic"], choices=suite.MODELS)
    parser.add_argument("--draws", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    for name in options.models:
        print(json.dumps(measure(name, options.draws, options.turns)), flush=True)


if __name__ == "__main__":
    main()
