"""Measure many runs of one small model through one runtime: compilations, memory, runs a second.

Each run has data and a seed of its own.  Some tasks start one run after the other and take its result, so
that there is always one in the queue; what a program does that gets its data from outside.  Memory is looked
at after a part of the runs and at the end: what the process holds, and, where glibc tells, what of it is in
use.  What grows of the latter is what a run leaves behind; what grows of the former besides is room that the
allocator keeps in the arenas of its threads.  The draws of a few runs are compared with those of ``sample``,
bit for bit.

``python benchmarks/many_runs.py`` makes 1,000 runs; ``--runs`` says how many.
"""

import argparse
import ctypes
import gc
import json
import os
import sys
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
    """Resident bytes, and those in use, by how many runs had ended."""
    compared: dict = field(default_factory=dict)
    """The draws of a few runs, by their numbers."""


class Heap(ctypes.Structure):
    """What glibc's ``mallinfo2`` says of all its arenas together, in bytes."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "mapped", "usmblks", "fsmblks", "used", "free", "keepcost"
        )
    ]  # fmt: skip


def resident():
    """Return the bytes of memory that the process holds."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def in_use():
    """Return the bytes that the C heap has given out, without Python's own small objects; None if unknown."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallinfo2"):
        return None
    library.mallinfo2.restype = Heap
    heap = library.mallinfo2()
    return heap.used + heap.mapped


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
                gc.collect()
                seen.memory[seen.ended] = resident(), in_use(), sys.getallocatedblocks()

    began = time.perf_counter()
    async with ex.open_runtime() as rt, trio.open_nursery() as nursery:
        for _ in range(CLIENTS):
            nursery.start_soon(client, rt)
    return time.perf_counter() - began


def memory_in_words(held, used, blocks):
    """Return what is said of memory at one moment."""
    heap = "" if used is None else f", of the heap {used / 1e6:.2f} in use"
    return f"{held / 1e6:.1f} MB{heap}; {blocks} blocks of Python's"


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
        **{f"after {ended} runs": memory_in_words(*memory) for ended, memory in sorted(seen.memory.items())},
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
