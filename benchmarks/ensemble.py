"""Measure chains that advance together: microseconds of a useful gradient, effective draws of 1,024 chains.

Kernels: chains go on by one metric and one step size, where a run's warmup left them; each width, and the
kernel of one chain, take turns in one process, and the least CPU time of many short calls counts.  A useful
gradient is one that a chain needed: what idle and finished lanes compute counts as cost only.  Runs: whole
calls of ``sample`` with two cores, once to compile and then timed, of 1,024 chains with 100 draws and of four
chains with 1,000.  Every line is JSON.

``python benchmarks/ensemble.py`` takes some minutes; ``--kernels`` and ``--runs`` do half each.
"""

import argparse
import json
import os
import time
import warnings

import numpy as np
import suite
import trio
from arviz_stats.base.array import array_stats

import exmc_actors as ex
from exmc_actors.messages import STATS
from exmc_actors.runtime import EnsembleExecutables, executables_for
from exmc_actors.warmup import Schedule

STEPS = STATS.index("n_steps")
FROZEN, TARGET_ACCEPT, DEPTH = Schedule(0), 0.8, 10
WIDTHS = (8, 64)


async def warmed_up(program, chains):
    """Return where so many chains stand after their warmup and some draws, without an ensemble."""
    options = {"draws": 20, "chains": chains, "random_seed": 1, "ensemble": False}
    async with ex.open_run(program, **options) as run:
        await run.result()
        return [record.state for record in run._log.chains]


def one_chain(program, states, transitions):
    """Return a function that goes on with the first chain, and says how many gradients it took."""
    executables = executables_for(program, DEPTH)
    arguments = executables.put(program.arguments)

    def go_on():
        (made,) = executables.advance([(states[0], transitions)], arguments, FROZEN, TARGET_ACCEPT, 0.0)
        return made.stats[:, STEPS].sum(), 1.0

    return go_on, lambda: executables.compiled.is_folded


def ensemble(program, states, width, transitions):
    """Return a function that goes on with a chain in each lane."""
    executables = executables_for(program, DEPTH, make=EnsembleExecutables, width=width)
    arguments = executables.put(program.arguments)
    lanes = dict(enumerate(states[:width]))

    def go_on():
        made = executables.advance_together(lanes, transitions, arguments, FROZEN, TARGET_ACCEPT, 0.0)
        steps = np.array([one.stats[:, STEPS] for one in made.values()])
        return steps.sum(), steps.sum() / (width * steps.max(axis=0).sum())

    return go_on, lambda: executables.compiled.is_folded


def kernels(name, turns):
    """Print a line for the kernel of one chain, and for each width."""
    program = ex.compile(suite.MODELS[name](**suite.DATA[name]()))
    states = trio.run(warmed_up, program, max(WIDTHS))
    contenders = {1: one_chain(program, states, 2000)}
    contenders |= {width: ensemble(program, states, width, 200) for width in WIDTHS}
    least = dict.fromkeys(contenders, float("inf"))
    for go_on, _ in contenders.values():
        go_on()
    for _ in range(turns):
        for width, (go_on, _) in contenders.items():
            began = time.process_time()
            gradients, _ = go_on()
            least[width] = min(least[width], (time.process_time() - began) / gradients)
    for width, (go_on, is_folded) in contenders.items():
        line = {
            "model": name,
            "width": width,
            "us_per_useful_gradient": round(1e6 * least[width], 4),
            "lanes_in_use": round(go_on()[1], 3),
            "times_as_fast_as_one_chain": round(least[1] / least[width], 2),
            "folded": is_folded(),
        }
        print(json.dumps(line), flush=True)


def smallest_ess(tree):
    """Return the smallest bulk ESS over all entries of all variables."""
    return min(
        float(
            np.min(array_stats.ess(values.reshape(*values.shape[:2], -1).transpose(2, 0, 1), method="bulk"))
        )
        for values in (one.values for one in tree.posterior.data_vars.values())
    )


def runs(name, turns):
    """Print a line for 1,024 chains together, and for four chains as they are by default."""
    program = ex.compile(suite.MODELS[name](**suite.DATA[name]()))
    for chains, draws, together in ((1024, 100, True), (4, 1000, False)):
        options = {"chains": chains, "draws": draws, "ensemble": together, "cores": 2, "progressbar": False}
        ex.sample(program, random_seed=0, **options)
        seconds, cpu, smallest = [], [], []
        for seed in range(1, 1 + turns):
            began, began_cpu = time.perf_counter(), time.process_time()
            tree = ex.sample(program, random_seed=seed, **options)
            seconds.append(time.perf_counter() - began)
            cpu.append(time.process_time() - began_cpu)
            smallest.append(smallest_ess(tree))
        line = {
            "model": name,
            "chains": chains,
            "draws": draws,
            "width": tree.attrs.get("ensemble_width", 1),
            "seconds": round(min(seconds), 2),
            "cpu_seconds": round(min(cpu), 2),
            "sampling_seconds": round(tree.attrs["sampling_time"], 2),
            "smallest_ess": round(float(np.mean(smallest))),
            "ess_per_second": round(float(np.max(np.array(smallest) / seconds))),
            "ess_per_cpu_second": round(float(np.max(np.array(smallest) / cpu))),
        }
        print(json.dumps(line), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["eight_schools", "simple", "logistic"])
    parser.add_argument("--kernels", action="store_true")
    parser.add_argument("--runs", action="store_true")
    parser.add_argument("--turns", type=int, default=30)
    options = parser.parse_args()
    warnings.simplefilter("ignore", ex.SamplingWarning)
    both = options.kernels == options.runs
    print(json.dumps({"load": os.getloadavg()}), flush=True)
    for name in options.models:
        if both or options.kernels:
            kernels(name, options.turns)
        if both or options.runs:
            runs(name, max(1, options.turns // 10))


if __name__ == "__main__":
    main()
