"""Say what a run costs at the least, and what its speed beside nutpie's would be if it cost no more.

Each part is measured by itself, with as little of this library in it as can be: a supervision tree of a run's
shape that does nothing, a DataTree of the same arrays by xarray alone, as many round trips by trio's bare
channels as a run has calls between actors, as many bare worker threads, the lessons and the warnings.  Then,
of the ratios in a file of ``sampling.py``, what they would be with 5 ms around the blocks, with this floor,
and with nothing: where even the last falls short of a goal, no runtime around these kernels reaches it.

``python benchmarks/floors.py .runs/sampling.jsonl`` takes some minutes.
"""

import argparse
import json
import statistics
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from unittest import mock

import suite
import trio
import xarray as xr
from overhead import BLOCKS, CHAINS, CORES, Fixed, covered, empty_tree, noting
from verdicts import geometric_mean, ratios

import exmc_actors as ex
import supervision as sv
from exmc_actors.diagnostics import problems

GOAL_MS = 5.0
SHORT = 1000
TURNS = 100
RATIOS = (
    "ours_over_nutpie",
    "with_the_goal_around",
    "with_the_floor_around",
    "with_nothing_around",
    "with_nothing_around_and_no_idle_core",
)
OPTIONS = {"chains": CHAINS, "cores": CORES, "progressbar": False}


def least_ms(act, turns=TURNS):
    """Return the least milliseconds of some turns: what else the machine does only adds to it."""
    spent = []
    for _ in range(turns):
        began = time.perf_counter()
        act()
        spent.append(time.perf_counter() - began)
    return 1e3 * min(spent)


def floor(name, draws):
    """Return what was counted, and the milliseconds of each part with no more in it than it must have."""
    program = ex.compile(suite.MODELS[name](**suite.DATA[name]()))
    for _ in range(3):  # a program of whose pace little is known warms up with more calls
        tree = ex.sample(program, draws=draws, random_seed=1, **OPTIONS)
    calls, threads = counted(program, draws)
    nothing = least_ms(partial(trio.run, hops, 0))
    parts = {
        "tree": empty_tree(TURNS),
        "result": least_ms(rebuilding(tree)),
        "messages": least_ms(partial(trio.run, round_trips, calls)) - nothing,
        "threads": least_ms(partial(trio.run, hops, threads)) - nothing,
        "lessons": Fixed().measure(program, 12)["lessons"],
        "warnings": least_ms(lambda: problems(tree)),
    }
    return {"calls": calls, "threads": threads}, parts


def counted(program, draws):
    """Return how often actors call each other in a run, and how often a thread answers."""
    with ExitStack() as patches:
        calls, threads = (
            patches.enter_context(
                mock.patch.object(owner, name, autospec=True, side_effect=getattr(owner, name))
            )
            for owner, name in ((sv.Ref, "call"), (trio.lowlevel, "start_thread_soon"))
        )
        ex.sample(program, draws=draws, random_seed=1, **OPTIONS)
        return calls.call_count, threads.call_count


def rebuilding(tree):
    """Return what makes a DataTree of the same arrays by xarray alone."""
    groups = {
        name: (
            {key: (one.dims, one.values, one.attrs) for key, one in group.data_vars.items()},
            {key: (one.dims, one.values) for key, one in group.coords.items()},
            group.attrs,
        )
        for name, group in ((name, node.to_dataset()) for name, node in tree.children.items())
    }
    return lambda: xr.DataTree.from_dict({name: xr.Dataset(*parts) for name, parts in groups.items()})


async def round_trips(count):
    """Ask a task something so many times, by channels that do nothing else."""
    ask, asked = trio.open_memory_channel(1)
    answer, answered = trio.open_memory_channel(1)

    async def serve():
        async for question in asked:
            await answer.send(question)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        for number in range(count):
            await ask.send(number)
            await answered.receive()
        await ask.aclose()


async def hops(count):
    """Wait so many times for a thread that does nothing."""
    for _ in range(count):
        await trio.to_thread.run_sync(int)


def shares(name, draws, turns):
    """Return the milliseconds of a whole call, of its blocks, and of these if no core were ever idle."""
    program = ex.compile(suite.MODELS[name](**suite.DATA[name]()))
    ex.sample(program, draws=draws, random_seed=0, **OPTIONS)
    spans, rows = [], []
    with ExitStack() as patches:
        for owner, attribute in BLOCKS.values():
            timed = noting(getattr(owner, attribute), spans)
            patches.enter_context(mock.patch.object(owner, attribute, timed))
        for seed in range(1, turns + 1):
            spans.clear()
            began = time.perf_counter()
            ex.sample(program, draws=draws, random_seed=seed, **OPTIONS)
            whole = time.perf_counter() - began
            rows.append((whole, covered(spans), sum(stop - start for start, stop in spans) / CORES))
    return tuple(1e3 * statistics.median(column) for column in zip(*rows, strict=True))


def projected(cells, draws, floor_ms, turns):
    """Yield the ratio of each problem as it is, and as it would be with less around its blocks."""
    for name, ratio in ratios(cells, "nutpie", draws, "ess_per_second").items():
        if name not in suite.MODELS:
            continue
        whole, blocks, halves = shares(name, draws, turns)
        instead = (whole, blocks + GOAL_MS, blocks + floor_ms, blocks, halves)
        found = {key: ratio * whole / one for key, one in zip(RATIOS, instead, strict=True)}
        yield {"model": name, "draws": draws, "whole_ms": whole, "blocks_ms": blocks, **found}


def shown(record):
    """Print a line of JSON with numbers that can be read."""
    print(json.dumps(rounded(record)), flush=True)


def rounded(value):
    """Return the same with two decimals, in dictionaries too."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return round(value, 2) if isinstance(value, float) else value


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, help="of sampling.py, with nutpie in it")
    parser.add_argument("--model", default="eight_schools", choices=suite.MODELS, help="whose floor it is")
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    counts, parts = floor(options.model, SHORT)
    lowest = sum(parts.values())
    shown({"model": options.model, "draws": SHORT, **counts, "parts_ms": parts, "sum_ms": lowest})
    if options.file is None:
        return
    records = [json.loads(line) for line in options.file.read_text().splitlines()]
    cells = [one for one in records if one["kind"] == "cell"]
    for draws in sorted({one["draws"] for one in cells}):
        rows = []
        for row in projected(cells, draws, lowest, options.turns):
            shown(row)
            rows.append(row)
        means = {key: geometric_mean([row[key] for row in rows]) for key in RATIOS}
        shown({"geometric_means_of": len(rows), "draws": draws, **means})


if __name__ == "__main__":
    main()
