"""Measure what a dashboard costs: a run with many clients, and a page and a server with many quantities.

Clients: a run without a dashboard and one with twenty clients, five of which never read, take turns; the time
of a gradient is compared, and memory is that of the process.  Quantities: a model of 1,000 scalar variables
runs on all cores while one page is open in Chromium without a screen.  The page's share of a core is what the
browser says that its scripts took; the server's is the processor time of the event loop's thread, less what
it takes without a dashboard, and that of the board's work in other threads.

``python benchmarks/dashboard.py`` takes some minutes; ``--seconds`` and ``--turns`` shorten it.  The page is
left out where there is no Chromium, or no Playwright to drive it.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import partial
from unittest import mock
from urllib.parse import urlsplit

import suite
import trio

import exmc_actors as ex
from exmc_actors.views.dashboard import Board

CHAINS, CORES = 4, 2
READING, STALLED = 15, 5
ENDLESS = 10**9


def resident():
    """Return the megabytes of memory that the process holds."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


READER = """if True:
    import selectors, socket, sys
    chosen, held = selectors.DefaultSelector(), []
    for number in range(int(sys.argv[2]) + int(sys.argv[3])):
        one = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        one.sendall(b"GET /events HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
        held.append(one)
        if number < int(sys.argv[2]):
            chosen.register(one, selectors.EVENT_READ)
    while True:
        for key, _ in chosen.select():
            if not key.fileobj.recv(1 << 20):
                chosen.unregister(key.fileobj)
"""


@asynccontextmanager
async def clients(url):
    """Let another process hold twenty streams of events: most are read as they come, five never."""
    command = [sys.executable, "-c", READER, str(urlsplit(url).port), str(READING), str(STALLED)]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(trio.run_process, command, check=False))
        yield
        nursery.cancel_scope.cancel()


class Work(Counter):
    """What the board's work in threads has taken, in seconds of a processor."""

    def timed(self, name):
        """Return a method of the board, whose time counts."""
        function = getattr(Board, name)

        def call(*args):
            began = time.thread_time()
            try:
                return function(*args)
            finally:
                self[name.strip("_")] += time.thread_time() - began

        return call

    @contextmanager
    def counted(self):
        """Count what boards do meanwhile."""
        with ExitStack() as patches:
            for name in ("_observe", "_estimate", "_frame"):
                patches.enter_context(mock.patch.object(Board, name, self.timed(name)))
            yield


async def paced(program, draws, seed, watched):
    """Return the seconds of a gradient in a run, the share of the loop in a core, the seconds, and memory."""
    options = {"draws": draws, "chains": CHAINS, "cores": CORES, "random_seed": seed}
    began, loop = time.perf_counter(), time.thread_time()
    async with ex.open_run(program, **options) as run:
        if watched:
            async with run.serve_dashboard() as url, clients(url):
                await run.wait_over()
        else:
            await run.wait_over()
        found = run.statistics()
    took = time.perf_counter() - began
    pace = found.elapsed / sum(chain.steps for chain in found.chains)
    return pace, (time.thread_time() - loop) / took, took, resident()


def twenty_clients(name, draws, turns):
    """Return what twenty clients cost, as ratios of neighbouring runs, and by the processors' own time."""
    program = ex.compile(suite.MODELS[name](**suite.DATA[name]()))
    ex.sample(program, draws=100, progressbar=False)
    ratios, taken, memory = [], [], []
    for seed in range(turns):
        work = Work()
        found = {}
        for watched in (True, False) if seed % 2 else (False, True):
            with work.counted():
                found[watched] = trio.run(paced, program, draws, seed, watched)
        (pace, loop, took, memory_then), (pace_alone, loop_alone, _, _) = found[True], found[False]
        ratios.append(pace / pace_alone)
        taken.append((loop - loop_alone + sum(work.values()) / took) / CORES)
        memory.append(round(memory_then))
    return {
        "clients": READING + STALLED,
        "stalled": STALLED,
        "model": name,
        "draws": draws,
        "watched_over_alone": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "percent_of_the_cores": round(100 * statistics.median(taken), 2),
        "MB at the end of each": memory,
    }


def many_scalars(number):
    """Return a model of so many scalar variables."""
    b = ex.Builder()
    for index in range(number):
        b.rv(f"x{index}", ex.Normal(0.0, 1.0 + index % 7))
    return b.model()


async def share_of_the_loop(program, seconds, opened):
    """Return what share of a core the loop's thread takes, and what was found meanwhile."""
    async with ex.open_run(program, draws=ENDLESS, chains=CHAINS, cores=CORES) as run, opened(run) as watch:
        async with run.subscribe(chains=0) as feed:
            async for message in feed:
                if message.phase == "sample":
                    break
        await trio.sleep(seconds)  # a browser starts, and what was drawn before it is taken in
        steps = sum(chain.index for chain in run.statistics().chains)
        began, loop = time.perf_counter(), time.thread_time()
        found = await watch(seconds)
        took = time.perf_counter() - began
        made = sum(chain.index for chain in run.statistics().chains) - steps
        return (time.thread_time() - loop) / took, made / took, found


@asynccontextmanager
async def nobody(_):
    """Let nobody look."""
    yield trio.sleep


@asynccontextmanager
async def a_page(run):
    """Let a page look, where there is a browser, or else a client."""
    work = Work()

    async def watch(seconds):
        before = work.copy()
        script = await trio.to_thread.run_sync(browsed, url, seconds)
        return {"script": script, "threads": {name: (work[name] - before[name]) / seconds for name in work}}

    with work.counted():
        async with run.serve_dashboard() as url:
            yield watch


def browsed(url, seconds):
    """Return the share of a core that the scripts of a page take, once it is filled."""
    box = {}

    def look():  # Playwright wants a thread of its own
        from playwright.sync_api import sync_playwright

        with sync_playwright() as driver:
            chromium = shutil.which("chromium") or shutil.which("chromium-browser")
            browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1240, "height": 1240})
            page.goto(url)
            page.wait_for_selector("#table tbody tr")
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable")

            def scripts():
                metrics = session.send("Performance.getMetrics")["metrics"]
                return {one["name"]: one["value"] for one in metrics}

            before, began = scripts(), time.perf_counter()
            page.wait_for_timeout(1e3 * seconds)
            after, took = scripts(), time.perf_counter() - began
            for name in ("ScriptDuration", "TaskDuration"):
                box[name] = (after[name] - before[name]) / took
            browser.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return box


def many_quantities(number, seconds):
    """Return the shares of a core that the page and the server take."""
    program = ex.compile(many_scalars(number))
    ex.sample(program, draws=100, progressbar=False)
    alone, pace_alone, _ = trio.run(share_of_the_loop, program, seconds, nobody)
    watched, pace, found = trio.run(share_of_the_loop, program, seconds, a_page)
    return {
        "scalars": number,
        "draws_a_second": round(pace),
        "draws_a_second_alone": round(pace_alone),
        "page_script_percent": round(100 * found["script"]["ScriptDuration"], 1),
        "page_all_percent": round(100 * found["script"]["TaskDuration"], 1),
        "server_percent": round(100 * (watched - alone + sum(found["threads"].values())), 1),
        "of_it": {name: round(100 * share, 1) for name, share in found["threads"].items()},
    }


def main():
    """Measure and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="eight_schools", choices=suite.MODELS)
    parser.add_argument("--draws", type=int, default=2_000_000)
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--scalars", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    print(json.dumps(many_quantities(options.scalars, options.seconds)), flush=True)
    print(json.dumps(twenty_clients(options.model, options.draws, options.turns)), flush=True)


if __name__ == "__main__":
    main()
