"""Measure how runs and their host bear each other: a subscriber that hardly reads, and the host's event loop.

The subscriber reads one message a second under ``DROP_OLDEST``; runs with and without it take turns, and are
compared by the time for a gradient.  The loop is asked to wake a task every 5 ms, and it is noted how late it
does: when idle, while all cores sample, and while they sample and other models are traced and compiled
besides, in threads or in worker processes.  Idle and busy spells take turns in one process.

``python benchmarks/guests.py`` takes some minutes; ``--draws``, ``--seconds`` and ``--turns`` shorten it.
"""

import argparse
import json
import statistics
import time
from contextlib import asynccontextmanager

import numpy as np
import suite
import trio

import exmc_actors as ex

CHAINS, CORES = 4, 2
INTERVAL = 0.005
ENDLESS = 10**9


async def pace(program, draws, seed, *, watched):
    """Return the seconds of a gradient, over a whole run of a program that is compiled already."""

    async def read_one_a_second(run, *, task_status):
        async with run.subscribe(overflow=ex.DROP_OLDEST, capacity=64) as feed:
            task_status.started(feed)
            async for _ in feed:
                await trio.sleep(1.0)

    options = {"draws": draws, "chains": CHAINS, "cores": CORES, "random_seed": seed}
    async with trio.open_nursery() as nursery, ex.open_run(program, **options) as run:
        feed = await nursery.start(read_one_a_second, run) if watched else None
        await run.result()
        statistics_of_run = run.statistics()
        dropped = feed.statistics().dropped if watched else 0
        nursery.cancel_scope.cancel()
    steps = sum(chain.steps for chain in statistics_of_run.chains)
    return statistics_of_run.elapsed / steps, dropped


def slow_subscriber(name, draws, turns):
    """Return what a subscriber that reads one message a second costs, as ratios of neighbouring runs."""
    program = ex.compile(suite.MODELS[name](**suite.DATA[name]()))
    ex.sample(program, draws=100, progressbar=False)
    ratios, most = [], 0
    for seed in range(turns):
        order = (True, False) if seed % 2 else (False, True)
        taken = {watched: trio.run(one, program, draws, seed, watched) for watched in order}
        ratios.append(taken[True][0] / taken[False][0])
        most = max(most, taken[True][1])
    return {
        "slow_subscriber": name,
        "draws": draws,
        "watched_over_alone": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "dropped": most,
    }


async def one(program, draws, seed, watched):
    """Run once."""
    return await pace(program, draws, seed, watched=watched)


@asynccontextmanager
async def idle(_):
    """Do nothing."""
    yield


@asynccontextmanager
async def sampling(program):
    """Keep all cores at it."""
    async with ex.open_run(program, draws=ENDLESS, chains=CHAINS, cores=CORES) as run:
        async with run.subscribe(chains=0) as feed:
            async for message in feed:
                if message.phase == "sample":
                    break
        yield


@asynccontextmanager
async def sampling_and_compiling(program, workers="thread"):
    """Keep all cores at it, and open runs of models that nobody has compiled, one after the other."""

    async def compile_others():
        while True:
            async with ex.open_run(another_model(), draws=100, tune=50, chains=2, workers=workers) as run:
                await run.result()

    async with sampling(program), trio.open_nursery() as nursery:
        nursery.start_soon(compile_others)
        yield
        nursery.cancel_scope.cancel()


def sampling_and_compiling_elsewhere(program):
    """Keep all cores at it, and open such runs whose models worker processes compile."""
    return sampling_and_compiling(program, "process")


_made = []


def another_model():
    """Return a model of a structure that was not there before."""
    _made.append(None)
    b = ex.Builder()
    mu = b.rv("mu", ex.Normal(0.0, 5.0), shape=len(_made) + 2)
    sigma = b.rv("sigma", ex.HalfNormal(1.0))
    noise = np.random.default_rng(len(_made)).normal(size=len(_made) + 2)
    b.obs("y", ex.StudentT(4.0, mu, sigma), noise)
    return b.model()


async def lateness(busy, program, seconds):
    """Return by how many milliseconds a task that asks to be woken every 5 ms is late."""
    late = []
    async with busy(program):
        ends = time.perf_counter() + seconds
        while (due := time.perf_counter() + INTERVAL) < ends:
            await trio.sleep(INTERVAL)
            late.append(1e3 * (time.perf_counter() - due))
    return late


def loop_latency(name, seconds, turns):
    """Return percentiles of the loop's lateness, idle and busy spells taking turns."""
    program = ex.compile(suite.MODELS[name](**suite.DATA[name]()))
    ex.sample(program, draws=100, progressbar=False)
    spells = (idle, sampling, sampling_and_compiling, sampling_and_compiling_elsewhere)
    late = {busy.__name__: [] for busy in spells}
    for _ in range(turns):
        for busy in spells:
            late[busy.__name__] += trio.run(lateness, busy, program, seconds)
    rows = {
        what: {f"p{part}": round(float(np.percentile(values, part)), 2) for part in (50, 99, 100)}
        for what, values in late.items()
    }
    return {"loop_latency_ms": name, "models_compiled_besides": len(_made), **rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["eight_schools", "logistic"], choices=suite.MODELS)
    parser.add_argument("--draws", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--turns", type=int, default=6)
    options = parser.parse_args()
    for name in options.models:
        print(json.dumps(loop_latency(name, options.seconds, options.turns)), flush=True)
    for name in options.models:
        print(json.dumps(slow_subscriber(name, options.draws, options.turns)), flush=True)


if __name__ == "__main__":
    main()
