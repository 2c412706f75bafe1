"""Measure actors side by side with bare trio and with pykka, in one run and turn by turn; print JSON lines.

A repetition runs every workload once, in turn, so that whatever else the machine does hits all of them.  The
ratio is the median over the repetitions of ratios within a repetition.  Peers:

cast    a send over a trio channel without buffer, and into one without limit; pykka's tell
call    a request over one trio channel and its reply over another, both without buffer; pykka's ask
spawn   ``nursery.start_soon`` of a function that returns at once: all of them together, as it likes best;
        and in order, each after the one before has run, as supervisors do; and ``nursery.start``
idle    the same number of trio tasks that sleep for ever

``--quick`` does little of everything, to see that it runs.  ``make bench`` runs it with the peers installed.
Longer than other files: each workload is read beside its peer, and it can be copied to another machine whole.
"""

import argparse
import gc
import json
import logging
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version

import trio
import trio.testing

import supervision as sv

try:
    import pykka
except ImportError:
    pykka = None

WANTED = {
    "cast / channel": 1.0,
    "call / channel pair": 0.7,
    "spawn in order / start_soon in order": 0.3,
    "spawn in order / start_soon": 0.3,
}
ALSO = (
    "cast / channel without limit",
    "spawn in order / nursery.start",
    "spawn on demand / nursery.start",
    "nursery.start / start_soon",
    "cast / pykka tell",
    "call / pykka ask",
)


class Counter(sv.Server):
    """Counts what it is cast, and answers calls with the count."""

    async def init(self):  # noqa: D102
        self.n = 0

    async def handle_cast(self, message):  # noqa: D102
        self.n += 1

    async def handle_call(self, message):  # noqa: D102
        return self.n


def per_second(count, began):
    return count / (time.perf_counter() - began)


async def casts(count):
    async with sv.open_supervisor([sv.ChildSpec("counter", Counter)]) as sup:
        counter = sup.which_children()[0].ref
        began = time.perf_counter()
        for number in range(count):
            counter.cast(number)
        assert await counter.call("count") == count
        return per_second(count, began)


async def sends(count):
    """Cast with back-pressure: the mailbox has room for 100."""
    spec = sv.ChildSpec("counter", Counter, capacity=100)
    async with sv.open_supervisor([spec]) as sup:
        counter = sup.which_children()[0].ref
        began = time.perf_counter()
        for number in range(count):
            await counter.send(number)
        assert await counter.call("count") == count
        return per_second(count, began)


async def channel_sends(count, size=0):
    send, receive = trio.open_memory_channel(size)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(drain, receive)
        began = time.perf_counter()
        async with send:
            for number in range(count):
                await send.send(number)
    return per_second(count, began)


async def drain(receive):
    n = 0
    async for _ in receive:
        n += 1


async def unlimited_sends(count):
    return await channel_sends(count, math.inf)


async def calls(count):
    async with sv.open_supervisor([sv.ChildSpec("counter", Counter)]) as sup:
        counter = sup.which_children()[0].ref
        began = time.perf_counter()
        for number in range(count):
            await counter.call(number)
        return per_second(count, began)


async def calls_by_name(count):
    """As ``calls``, through an address that survives restarts."""
    names = sv.Registry()
    async with sv.open_supervisor([sv.ChildSpec("counter", Counter, name=names.via("counter"))]):
        counter = names.via("counter")
        began = time.perf_counter()
        for number in range(count):
            await counter.call(number)
        return per_second(count, began)


async def channel_pairs(count):
    requests, requested = trio.open_memory_channel(0)
    replies, replied = trio.open_memory_channel(0)

    async def serve():
        async for number in requested:
            await replies.send(number)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        began = time.perf_counter()
        async with requests:
            for number in range(count):
                await requests.send(number)
                await replied.receive()
    return per_second(count, began)


def countdown(count):
    """Return a function that returns at once, and an event that is set when it has been run so often."""
    done = trio.Event()

    async def job():
        nonlocal count
        count -= 1
        if not count:
            done.set()

    return job, done


async def spawns_in_order(count):
    """Start the children of a supervisor, each after the one before has started."""
    job, done = countdown(count)
    specs = [sv.ChildSpec(f"job {n}", job, restart="temporary") for n in range(count)]
    began = time.perf_counter()
    async with sv.open_supervisor(specs):
        await done.wait()
        return per_second(count, began)


async def spawns_on_demand(count):
    """Ask a dynamic supervisor for children, one after another."""
    job, done = countdown(count)
    spec = sv.ChildSpec("job", job, restart="temporary")
    async with sv.open_dynamic_supervisor() as sup:
        began = time.perf_counter()
        for _ in range(count):
            await sup.start_child(spec)
        await done.wait()
        return per_second(count, began)


async def start_soons_in_order(count):
    """Start tasks, each after the one before has run: what a supervisor's order of start asks for."""
    async with trio.open_nursery() as nursery:
        began = time.perf_counter()
        for _ in range(count):
            job, done = countdown(1)
            nursery.start_soon(job)
            await done.wait()
        return per_second(count, began)


async def nursery_starts(count):
    job, done = countdown(count)

    async def says_so(task_status):
        task_status.started()
        await job()

    async with trio.open_nursery() as nursery:
        began = time.perf_counter()
        for _ in range(count):
            await nursery.start(says_so)
        await done.wait()
        return per_second(count, began)


async def start_soons(count):
    job, _ = countdown(count)
    began = time.perf_counter()
    async with trio.open_nursery() as nursery:
        for _ in range(count):
            nursery.start_soon(job)
    return per_second(count, began)


async def restarts(count):
    """How many seconds lie between raising and the next incarnation's ``init``, at the median."""
    seconds = []
    raised = [0.0]

    class Fragile(sv.Server):
        async def init(self):
            if raised[0]:
                seconds.append(time.perf_counter() - raised[0])

        async def handle_cast(self, message):
            raised[0] = time.perf_counter()
            raise ValueError("boom")

    async with sv.open_supervisor([sv.ChildSpec("fragile", Fragile)], max_restarts=count + 1) as sup:
        for number in range(count):
            sup.child("fragile").cast("boom")
            while len(seconds) == number:
                await trio.lowlevel.checkpoint()
    return statistics.median(seconds)


def pykkas(count):
    """Return tells and asks a second."""

    class Actor(pykka.ThreadingActor):
        def on_receive(self, message):
            return message

    ref = Actor.start()
    try:
        began = time.perf_counter()
        for number in range(count):
            ref.tell(number)
        ref.ask(0)
        tells = per_second(count, began)
        began = time.perf_counter()
        for number in range(count):
            ref.ask(number)
        return tells, per_second(count, began)
    finally:
        ref.stop()


# Memory: each measurement in a process of its own, which has allocated nothing else.


def resident_bytes():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def idle_servers(count):
    spec = sv.ChildSpec("counter", Counter, restart="temporary")
    before, began = resident_bytes(), time.perf_counter()
    async with sv.open_dynamic_supervisor() as sup:
        for _ in range(count):
            await sup.start_child(spec)
        start = time.perf_counter() - began
        gc.collect()
        used = resident_bytes() - before
        last = sup.which_children()[-1].ref
        began = time.perf_counter()
        for _ in range(1000):
            await last.call("count")
        call = (time.perf_counter() - began) / 1000
        began = time.perf_counter()
    stop = time.perf_counter() - began
    return {"bytes_each": used / count, "start_s": start, "stop_s": stop, "call_us": call * 1e6}


async def idle_tasks(count):
    before, began = resident_bytes(), time.perf_counter()
    async with trio.open_nursery() as nursery:
        for _ in range(count):
            nursery.start_soon(trio.sleep_forever)
        await trio.testing.wait_all_tasks_blocked()
        start = time.perf_counter() - began
        gc.collect()
        used = resident_bytes() - before
        began = time.perf_counter()
        nursery.cancel_scope.cancel()
    return {"bytes_each": used / count, "start_s": start, "stop_s": time.perf_counter() - began}


IDLE = {"server": idle_servers, "trio task": idle_tasks}


def idle(kind, count):
    ran = subprocess.run(
        [sys.executable, __file__, "--idle", kind, str(count)], check=True, capture_output=True, text=True
    )
    return json.loads(ran.stdout)


# The whole


def measure(repetitions, size):
    """Return a list of rates for each workload; rates at the same place belong to one repetition."""
    # Peers are neighbours, so that a busy moment hits both or none.
    workloads = {
        "cast": (casts, size),
        "channel": (channel_sends, size),
        "channel without limit": (unlimited_sends, size),
        "send, mailbox of 100": (sends, size),
        "call by name": (calls_by_name, size),
        "call": (calls, size),
        "channel pair": (channel_pairs, size),
        "start_soon": (start_soons, size // 4),
        "spawn in order": (spawns_in_order, size // 4),
        "start_soon in order": (start_soons_in_order, size // 4),
        "nursery.start": (nursery_starts, size // 4),
        "spawn on demand": (spawns_on_demand, size // 4),
    }
    rates = {name: [] for name in workloads}
    for _ in range(repetitions):
        for name, (workload, count) in workloads.items():
            gc.collect()
            rates[name].append(trio.run(workload, count))
        if pykka is not None:
            tells, asks = pykkas(size // 4)
            rates.setdefault("pykka tell", []).append(tells)
            rates.setdefault("pykka ask", []).append(asks)
    return rates


def ratios_of(rates):
    for pair in (*WANTED, *ALSO):
        ours, theirs = pair.split(" / ")
        if theirs in rates:
            each = [mine / peer for mine, peer in zip(rates[ours], rates[theirs], strict=True)]
            yield pair, statistics.median(each), (min(each), max(each))


def about_here():
    peers = {}
    for name in ("trio", "pykka"):
        try:
            peers[name] = version(name)
        except PackageNotFoundError:
            peers[name] = None
    return {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **peers,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="do little of everything")
    parser.add_argument("--idle", nargs=2, metavar=("KIND", "COUNT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    logging.getLogger("supervision").setLevel(logging.CRITICAL)
    if options.idle:
        kind, count = options.idle
        print(json.dumps(trio.run(IDLE[kind], int(count))))
        return
    repetitions, size, crowd, crowds = (2, 200, 200, 400) if options.quick else (25, 8_000, 10_000, 100_000)
    here = about_here()

    rates = measure(repetitions, size)
    print(f"{'':38}{'median':>12}{'lowest':>12}{'highest':>12}   a second")
    for name, each in rates.items():
        print(f"{name:38}{statistics.median(each):12,.0f}{min(each):12,.0f}{max(each):12,.0f}")
    rows = [
        {
            "rate": name,
            "per_second": round(statistics.median(each)),
            "spread": [round(min(each)), round(max(each))],
        }
        for name, each in rates.items()
    ]
    print(f"\n{'':38}{'median':>12}{'lowest':>12}{'highest':>12}   of ratios, {repetitions} repetitions")
    for pair, median, (low, high) in ratios_of(rates):
        wanted = f"   wanted: {WANTED[pair]}" if pair in WANTED else ""
        print(f"{pair:38}{median:12.2f}{low:12.2f}{high:12.2f}{wanted}")
        rows.append({"ratio": pair, "value": round(median, 3), "spread": [round(low, 3), round(high, 3)]})

    restart = trio.run(restarts, 20 if options.quick else 500)
    print(f"\nfrom a crash to running again: {restart * 1e6:.0f} us at the median")
    rows.append({"restart_us": round(restart * 1e6, 1)})
    for kind, count in [("trio task", crowd), ("server", crowd), ("server", crowds)]:
        figures = idle(kind, count)
        rows.append({"idle": kind, "count": count, **{key: round(x, 3) for key, x in figures.items()}})
        words = ", ".join(f"{key} {value:,.2f}" for key, value in figures.items())
        print(f"{count:,} idle {kind}s: {words}")
    print()
    for row in rows:
        print(json.dumps({"benchmark": "actors", **row, **here}))


if __name__ == "__main__":
    main()
