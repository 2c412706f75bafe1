"""Measure what worker processes cost beside threads: their start, a block's way there and back, a whole run.

All are ratios or differences within one process, by turns: a call of a worker against the same call here; a
run in workers that are started for it against one in threads.  ``python benchmarks/workers.py`` takes a
minute or two; ``--turns 1 --calls 20`` shows that it works.
"""

import argparse
import os
import statistics
import tempfile
import time
from functools import partial

import suite
import trio

import exmc_actors as ex
from exmc_actors.chain import chain_key
from exmc_actors.runtime import check, executables_for, open_workers, start_positions
from exmc_actors.runtime.journal import Head, encode_head
from exmc_actors.runtime.processes.talk import AdvanceChains, decode_answer, encode_request

SEED = 1
LARGEST = 1 << 28


def timed(function):
    """Return the seconds that a call takes, and what it returns."""
    began = time.perf_counter()
    returned = function()
    return time.perf_counter() - began, returned


async def start(head):
    """Return the seconds that a worker takes to be ready, and those of processors that it takes for it."""
    began, before = time.perf_counter(), os.times()
    async with open_workers(head, LARGEST) as workers:
        await workers.begin(1)
        seconds = time.perf_counter() - began
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, used


async def calls(head, program, settings, transitions, count):
    """Return the least seconds of a block in a worker and here, made in turns from one state."""
    executables = executables_for(program, settings.max_treedepth)
    arguments = executables.put(program.arguments)
    place = (chain_key(SEED, 0), start_positions(program, settings)[0])
    (started,) = executables.start([place], arguments, settings.target_accept)
    asked = [(started.state, transitions)]
    there, here = [], []
    async with open_workers(head, LARGEST) as workers:
        await workers.begin(1)
        async with workers.one() as worker:
            for _ in range(count):
                began = time.perf_counter()
                decode_answer(await worker.ask(encode_request(AdvanceChains(asked))))
                there.append(time.perf_counter() - began)
                advance = partial(executables.advance, asked, arguments, settings.schedule, 0.8, 0.0)
                here.append(timed(advance)[0])
    return min(there), min(here)


def runs(program, turns, draws):
    """Return the seconds of runs in threads and in workers, by turns; the first turn compiles."""
    seconds = {"thread": [], "process": []}
    for turn in range(turns + 1):
        for workers, taken in seconds.items():
            sample = partial(ex.sample, program, draws=draws, random_seed=turn, progressbar=False)
            took, _ = timed(partial(sample, workers=workers))
            if turn:
                taken.append(took)
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--draws", type=int, default=100_000)
    given = parser.parse_args()
    model = suite.eight_schools(**suite.schools_data())
    program = ex.compile(model)
    settings = check(draws=1000, random_seed=SEED)
    head = encode_head(Head(settings, model.to_bytes(), program.dim, {}))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EXMC_CACHE_DIR"] = folder
        for what in ("that compiles", "that loads what is compiled"):
            seconds, used = trio.run(start, head)
            print(f"the start of a worker {what}: {seconds:.2f} s, {used:.2f} s of processors")
        for transitions in (1, 100, 1000):
            there, here = trio.run(calls, head, program, settings, transitions, given.calls)
            print(
                f"a block of {transitions}: {there * 1e6:.0f} us in a worker, {here * 1e6:.0f} here: "
                f"{(there - here) * 1e6:+.0f} us, {there / here:.2f} times"
            )
        seconds = runs(program, given.turns, given.draws)
    threads, processes = map(statistics.median, seconds.values())
    print(
        f"a run of {given.draws} draws a chain: {threads:.2f} s in threads, {processes:.2f} s in workers: "
        f"{processes - threads:+.2f} s"
    )


if __name__ == "__main__":
    main()
