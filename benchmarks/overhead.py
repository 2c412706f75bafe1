"""Measure what supervision, streaming and commits cost: a supervised run against a bare loop of blocks.

The supervised run is ``open_run`` with a subscriber that reads every message; the bare loop calls the same
executable for as many draws, a chain at a time on each core, and keeps what it returns.  It goes on where the
run ended, so that both walk by one metric and one step size; they are compared by the time for a gradient,
since their draws differ.  They take turns; the median of the ratios is reported.  A second figure is the
fixed cost of a short run: the time of ``sample`` on a warm program around the calls of its executables, with
the parts of it that can be told apart, and beside it a supervision tree of the same shape that does nothing.

``python benchmarks/overhead.py`` takes some minutes; ``--draws`` and ``--models`` shorten it.
"""

import argparse
import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from unittest import mock

import suite
import trio

import exmc_actors as ex
import supervision as sv
from exmc_actors import run as result_of
from exmc_actors import sampling
from exmc_actors.messages import STATS
from exmc_actors.runtime import executables_for, lessons
from exmc_actors.runtime.block_size import TARGET_SECONDS
from exmc_actors.runtime.executables import Executables
from exmc_actors.warmup import Schedule

CORES, CHAINS = 2, 4
STEPS = STATS.index("n_steps")
BLOCKS = {"start": (Executables, "start"), "advance": (Executables, "advance")}
PARTS = {
    "lessons": (lessons, "on_one_thread"),
    "result": (result_of, "result"),
    "warnings": (sampling, "warn_about"),
}


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


class Fixed:
    """What ``sample`` costs around its executables, and how much of that each of its larger parts takes."""

    def __init__(self):
        self._spans = []

    def measure(self, program, turns):
        """Return milliseconds by part, of the call with the least around its executables."""
        with ExitStack() as patches:
            for part, (owner, name) in (BLOCKS | PARTS).items():
                timed = noting(getattr(owner, name), self._spans, part)
                patches.enter_context(mock.patch.object(owner, name, timed))
            return min((self._one(program, seed) for seed in range(turns)), key=lambda one: one["around"])

    def _one(self, program, seed):
        self._spans.clear()
        began = time.perf_counter()
        ex.sample(program, random_seed=seed, cores=CORES, chains=CHAINS, progressbar=False)
        whole = time.perf_counter() - began
        inside = covered([(start, stop) for start, stop, part in self._spans if part in BLOCKS])
        taken = {name: sum(b - a for a, b, part in self._spans if part == name) for name in PARTS}
        seconds = {"whole": whole, "around": whole - inside, **taken}
        return {part: round(1e3 * one, 1) for part, one in seconds.items()}


def noting(original, spans, *what):
    """Return the same function, whose calls' beginnings and ends are noted, and what they are."""

    def call(*args, **options):
        began = time.perf_counter()
        try:
            return original(*args, **options)
        finally:
            spans.append((began, time.perf_counter(), *what))

    return call


def covered(spans):
    """Return the seconds in which at least one of the spans is under way."""
    total, end = 0.0, 0.0
    for start, stop in sorted(spans):
        total += max(0.0, stop - max(start, end))
        end = max(end, stop)
    return total


def empty_tree(turns):
    """Return the milliseconds of a supervision tree of a run's shape whose chains end at once."""

    async def ends(*, task_status):
        task_status.started()

    options = {"auto_shutdown": "any_significant", "restart": "transient", "significant": True}
    actor = sv.ChildSpec("actor", ends, restart="transient", significant=True)
    chains = [sv.supervisor(f"chain {number}", [actor], **options) for number in range(CHAINS)]
    servers = [sv.ChildSpec(name, sv.Server) for name in ("recorder", "model server")]
    engine = [*servers, sv.supervisor("chains", chains, **options | {"auto_shutdown": "all_significant"})]

    async def main():
        children = [sv.supervisor("engine", engine, **options), sv.supervisor("views", [])]
        async with sv.open_supervisor(children, auto_shutdown="any_significant") as supervisor:
            await supervisor.wait_exited()

    def one():
        began = time.perf_counter()
        trio.run(main)
        return time.perf_counter() - began

    return round(1e3 * min(one() for _ in range(turns)), 1)


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
        "fixed_ms": Fixed().measure(program, 12),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["eight_schools", "logistic"], choices=suite.MODELS)
    parser.add_argument("--draws", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    for name in options.models:
        print(json.dumps(measure(name, options.draws, options.turns)), flush=True)
    print(json.dumps({"empty_tree_ms": empty_tree(20)}), flush=True)


if __name__ == "__main__":
    main()
