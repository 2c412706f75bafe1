"""Measure what memory a run takes: stored ones against their length, and many chains beside their draws.

Each row is a process of its own.  ``stored``: eight schools in a store, four chains, with a ``DROP_OLDEST``
subscriber that reads one message a second; the memory when a tenth of the draws is made, and at the end.  A
run whose memory is bounded has the same in both, and in all rows.  ``chains``: runs without a store, before
their result is made, and runs of twice as many; what every chain more takes, its draws and statistics left
out.  What Python has allocated is told beside what the process has, which has room to spare in its heap.

``python benchmarks/memory.py`` takes some minutes and a gigabyte of disk for 10 million draws;
``--draws`` and ``--chains`` shorten it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import trio

import exmc_actors as ex
from exmc_actors.demo import eight_schools

EVERY = 0.1
"""Seconds between two looks at the memory."""


def resident():
    """Return the megabytes that this process has in memory."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def journal_bytes(folder):
    return sum(path.stat().st_size for path in Path(folder).iterdir())


async def read_slowly(run, counts):
    async with run.subscribe(overflow=ex.DROP_OLDEST) as feed:
        while True:
            await anext(feed)
            counts.update(delivered=feed.statistics().delivered, dropped=feed.statistics().dropped)
            await trio.sleep(1.0)


def made(run):
    return sum(chain.index for chain in run.statistics().chains if chain.phase == "sample")


async def ended(run):
    async with run.subscribe(overflow=ex.LATEST) as feed:
        async for _ in feed:
            pass


async def stored(total, chains, folder):
    """Return what a stored run of so many draws takes."""
    looks, counts = [], {}
    began = time.perf_counter()
    async with (
        ex.open_run(
            eight_schools(), draws=total // chains, chains=chains, random_seed=1, store=folder
        ) as run,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(read_slowly, run, counts)
        while any(chain.status == "running" for chain in run.statistics().chains):
            looks.append((made(run), resident()))
            await trio.sleep(EVERY)
        looks.append((made(run), resident()))
        nursery.cancel_scope.cancel()
    early = next(memory for done, memory in looks if done >= total / 10)
    return {
        "draws": total,
        "seconds": round(time.perf_counter() - began, 1),
        "MB at a tenth": round(early, 1),
        "MB at the end": round(looks[-1][1], 1),
        "MB at most": round(max(memory for _, memory in looks), 1),
        "MB of journal": round(journal_bytes(folder) / 2**20, 1),
        **counts,
    }


async def held(chains, draws, traces, ensemble):
    """Return the megabytes of a run of so many chains when all are at their end, and those of their draws."""
    model = eight_schools()
    async with ex.open_run(model, draws=20, chains=4, random_seed=1, ensemble=ensemble) as run:  # compiles
        await run.result()
    if traces:
        tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0] / 2**20 if traces else resident()
    options = {"draws": draws, "chains": chains, "random_seed": 1, "ensemble": ensemble}
    async with ex.open_run(model, **options) as run:
        await ended(run)
        after = tracemalloc.get_traced_memory()[0] / 2**20 if traces else resident()
        blocks = [message for message in run._log.messages if isinstance(message, ex.DrawBlock)]
        columns = [
            values for block in blocks for part in (block.draws, block.stats) for values in part.values()
        ]
        return after - before, sum(values.nbytes for values in columns) / 2**20, len(blocks)


def per_chain(chains, draws, traces, ensemble):
    """Return what every chain more takes beside its draws: twice as many against so many."""
    (large, owned, blocks), (double, doubled, _) = (
        alone("held", number, draws, traces, ensemble) for number in (chains, 2 * chains)
    )
    beside = ((double - doubled) - (large - owned)) / chains
    return {
        "chains": chains,
        "ensemble": ensemble,
        "measured": "allocated" if traces else "resident",
        "MB": round(large, 1),
        "MB of draws": round(owned, 1),
        "blocks a chain": round(blocks / chains, 1),
        "kB a chain beside": round(1024 * beside, 1),
    }


def alone(what, *arguments):
    """Return what a function returns in a process of its own."""
    command = [sys.executable, __file__, "--worker", json.dumps([what, *arguments])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def work(what, *arguments):
    print(json.dumps(trio.run({"stored": stored, "held": held}[what], *arguments)))


def table(rows):
    names = list(rows[0])
    widths = [max(len(name), *(len(str(row.get(name, ""))) for row in rows)) for name in names]
    print("  ".join(name.rjust(width) for name, width in zip(names, widths, strict=True)))
    for row in rows:
        print("  ".join(str(row.get(name, "")).rjust(w) for name, w in zip(names, widths, strict=True)))
    print(flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, nargs="*", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--chains", type=int, nargs="*", default=[256])
    parser.add_argument("--draws-a-chain", type=int, default=1000)
    parser.add_argument("--folder", type=Path, default=None, help="for the stores; a disk, not memory")
    parser.add_argument("--worker", type=json.loads, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(*options.worker)
        return
    if options.draws:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            table([alone("stored", total, 4, f"{folder}/{total}") for total in options.draws])
    if options.chains:
        variants = [(traces, ensemble) for ensemble in (False, True) for traces in (False, True)]
        table(
            [
                per_chain(chains, options.draws_a_chain, *each)
                for chains in options.chains
                for each in variants
            ]
        )


if __name__ == "__main__":
    main()
