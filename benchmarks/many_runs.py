"""Measure many runs of one small model through one runtime: compilations, memory, runs a second.

Each run has data and a seed of its own.  Some tasks start one run after the other and take its result, so
that there is always one in the queue; what a program does that gets its data from outside.  Memory is the
resident set of the process, after a part of the runs and at the end: what grows between is what a run leaves
behind.  The draws of a few runs are compared with those of ``sample``, bit for bit.

``python benchmarks/many_runs.py`` makes 1,000 runs; ``--runs`` says how many.
"""

import argparse
import gc
import json
import os
import time
import warnings
from dataclasses import dataclass, field
from unittest import mock

import numpy as np
import trio

import exmc_actors as ex
from exmc_actors.runtime.executables import Executables

CLIENTS = 4
"""Tasks that start runs: enough for the next run to be there when one ends."""
COMPARED = 3
"""Runs whose draws are compared with those of a call by itself."""


def model(number):
    """Return a normal mean with five observations that no other run has."""
    y = np.random.default_rng(number).normal(number % 7, 1.0, size=5)
    b = ex.Builder()
    mu = b.rv("mu", ex.Normal(0.0, 10.0))
    b.obs("y", ex.Normal(mu, 1.0), y)
    return b.model()


@dataclass
class Seen:
    """What is noted while runs come and go."""

    ended: int = 0
    made: int = 0
    """Executables."""
    memory: dict = field(default_factory=dict)
    """Resident bytes by how many runs had ended."""
    compared: dict = field(default_factory=dict)
    """The draws of a few runs, by their numbers."""


def resident():
    """Return the bytes of memory that the process holds."""
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def through_one_runtime(runs, options, seen):
    """Make the runs; return the seconds that they took, from the first one's start."""
    numbers, looked_at = iter(range(runs)), {min(100, runs // 2), runs // 2, runs}

    async def client(rt):
        for number in numbers:
            run = await rt.start_run(model(number), random_seed=number, **options)
            tree = await run.result()
            seen.ended += 1
            if number % max(1, runs // COMPARED) == 0:
                seen.compared[number] = tree.posterior["mu"].values
            if seen.ended in looked_at:
                seen.memory[seen.ended] = resident()

    began = time.perf_counter()
    async with ex.open_runtime() as rt, trio.open_nursery() as nursery:
        for _ in range(CLIENTS):
            nursery.start_soon(client, rt)
    return time.perf_counter() - began


def measure(runs, options):
    """Return what there is to report."""
    seen, original = Seen(), Executables._compiled

    def compiled(*args, **rest):
        seen.made += 1
        return original(*args, **rest)

    with mock.patch.object(Executables, "_compiled", compiled):
        seconds = trio.run(through_one_runtime, runs, options, seen)
        alone = {n: ex.sample(model(n), random_seed=n, progressbar=False, **options) for n in seen.compared}
    same = sum(np.array_equal(draws, alone[n].posterior["mu"].values) for n, draws in seen.compared.items())
    return {
        "runs": runs,
        **options,
        # A program is two executables: what starts chains, and what advances them.
        "programs compiled": seen.made / 2,
        "seconds": round(seconds, 1),
        "runs a second": round(runs / seconds, 1),
        **{f"MB after {ended} runs": round(memory / 1e6, 1) for ended, memory in sorted(seen.memory.items())},
        "same bits as alone": f"{same} of {len(seen.compared)}",
    }


def main():
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--chains", type=int, default=4)
    parser.add_argument("--json", action="store_true", help="one line for a program instead of the table")
    given = parser.parse_args()
    warnings.simplefilter("ignore", ex.SamplingWarning)
    report = measure(given.runs, {"draws": given.draws, "chains": given.chains})
    if given.json:
        print(json.dumps(report))
        return
    for what, value in report.items():
        print(f"{what:24} {value}")


if __name__ == "__main__":
    main()
