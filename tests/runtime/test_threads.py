"""Threads that compute: which CPUs they may run on, and how long they stay."""

import os
import queue
import threading
from functools import partial

import jax
import numpy as np
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

import exmc_actors as ex
from exmc_actors.opening import open_run
from exmc_actors.runtime import cores, threads
from exmc_actors.runtime.cores import Cores
from exmc_actors.runtime.threads import SHORT, Threads, allowed_cpus, share_of

LONG = 2 * SHORT
needs_cpus = pytest.mark.skipif(
    len(allowed_cpus() or ()) < 2, reason="the system says of no CPUs which they are, or there is one"
)


def affinity():
    return os.sched_getaffinity(0)


def done(threads, act=lambda: None, of=2, seconds=LONG):
    """Do something in a thread; return what it returned, and the thread."""
    results = queue.SimpleQueue()

    def job(_):
        found = act(), threading.current_thread()
        return lambda: results.put(found)

    threads.start(job, of=of, seconds=seconds)
    return results.get(timeout=60)


@given(st.sets(st.integers(0, 200), min_size=1), st.integers(1, 300))
def test_threads_divide_the_cpus_as_evenly_as_can_be(cpus, of):
    shares = [share_of(cpus, number, of) for number in range(min(of, len(cpus)))]
    assert sorted(cpu for share in shares for cpu in share) == sorted(cpus)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert share_of(cpus, len(shares), of) == shares[0]


@needs_cpus
def test_a_short_job_keeps_to_its_share_and_a_long_one_may_be_anywhere():
    own = Threads()
    assert done(own, affinity, seconds=LONG)[0] == allowed_cpus()
    assert done(own, affinity, seconds=SHORT)[0] == share_of(allowed_cpus(), 0, 2)
    assert done(own, affinity, of=1, seconds=SHORT)[0] == allowed_cpus()


@needs_cpus
def test_short_computations_at_once_are_on_different_cpus_and_so_is_what_follows_them():
    async def main():
        share, both, found = Cores(lambda: 2).share(2), threading.Barrier(2, timeout=60), []

        async def compute(seconds):
            def where():
                both.wait()
                return seconds, affinity()

            found.append(await share.compute(where, seconds=seconds))

        async with trio.open_nursery() as nursery:
            for seconds in (SHORT, SHORT, LONG, LONG):
                nursery.start_soon(compute, seconds)
                await wait_all_tasks_blocked()  # so that the short ones are the first
        return found

    found = trio.run(main)
    first, second = (cpus for seconds, cpus in found if seconds == SHORT)
    assert not first & second
    assert [cpus for seconds, cpus in found if seconds == LONG] == [allowed_cpus()] * 2


@needs_cpus
def test_a_thread_has_the_first_place_that_nobody_has_whatever_it_had_before():
    own, gate = Threads(), threading.Event()
    ends = [queue.SimpleQueue() for _ in range(3)]

    def start(number, wait):
        def job(place):
            assert wait(60)
            return lambda: ends[number].put(place.number)

        own.start(job, of=2, seconds=SHORT)

    start(0, lambda _: True)
    assert ends[0].get(timeout=60) == 0
    start(0, gate.wait)
    first_ends = threading.Event()
    start(1, first_ends.wait)
    start(2, gate.wait)
    first_ends.set()
    assert ends[1].get(timeout=60) == 1
    start(1, gate.wait)
    gate.set()
    assert [end.get(timeout=60) for end in ends] == [0, 1, 2]


@needs_cpus
def test_of_a_share_without_places_every_computation_may_be_anywhere():
    share = Cores(lambda: 2).share(2)
    share.has_places = False
    assert trio.run(partial(share.compute, affinity, seconds=SHORT)) == allowed_cpus()


@needs_cpus
def test_who_is_kept_from_some_cpus_counts_them_all_the_same():
    available = cores.available_cores()
    assert done(Threads(), cores.available_cores, of=available, seconds=0.0)[0] == available


@needs_cpus
def test_what_the_system_refuses_is_no_error(monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    assert done(Threads(), lambda: "done", seconds=0.0)[0] == "done"


def test_where_the_system_knows_of_no_places_there_are_none(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert done(Threads(), lambda: "done", seconds=0.0)[0] == "done"
    assert cores.available_cores() == os.cpu_count()


def test_whoever_is_told_of_a_job_may_have_the_same_thread_do_the_next():
    own = Threads()
    assert len({done(own)[1] for _ in range(50)}) == 1


def test_a_thread_without_a_job_ends_after_a_while(monkeypatch):
    monkeypatch.setattr(threads, "_IDLE", 0.0)
    own = Threads()
    for _ in range(3):
        _, thread = done(own)
        thread.join(60)
        assert not thread.is_alive()
        assert not own._idle


def test_a_thread_that_cannot_begin_leaves_nothing_behind(monkeypatch):
    def full(_):
        raise RuntimeError("can't start new thread")

    own = Threads()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", full)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            done(own)
    assert not own._numbers
    assert done(own, lambda: "later")[0] == "later"


def test_a_process_that_was_forked_begins_threads_of_its_own():
    own = Threads()
    _, before = done(own)
    own.forget()
    assert done(own)[1] is not before


@pytest.mark.parametrize("calls_back", [False, True])
def test_what_calls_back_into_python_may_run_on_any_cpu(calls_back):
    def bowl(q):
        nothing = jax.ShapeDtypeStruct((), np.float32)
        seen = jax.pure_callback(lambda _: np.float32(0.0), nothing, jax.lax.stop_gradient(q))
        return -0.5 * q @ q + (seen if calls_back else 0.0)

    async def main():
        async with open_run(
            ex.LogDensity(bowl, np.zeros(2)), draws=10, tune=0, chains=1, random_seed=1
        ) as run:
            await run.result()
            return run._parts.executables.compiled.calls_back

    shares = []
    with pytest.MonkeyPatch.context() as patch:
        share = Cores.share
        patch.setattr(Cores, "share", lambda *args: shares.append(share(*args)) or shares[-1])
        assert trio.run(main) is calls_back
    assert shares[0].has_places is not calls_back
