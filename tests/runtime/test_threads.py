"""Threads that compute: which CPUs they may run on, and how long they stay."""

import os
import queue
import subprocess
import sys
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
from exmc_actors.runtime.threads import SHORT, Allowance, Place, Threads, allowed_cpus, share_of

LONG = 2 * SHORT
needs_cpus = pytest.mark.skipif(
    len(allowed_cpus() or ()) < 2, reason="the system says of no CPUs which they are, or there is one"
)


def affinity():
    return os.sched_getaffinity(0)


def done(threads, act=lambda: None, of=1):
    """Do something in a thread; return what it returned, and the thread."""
    results = queue.SimpleQueue()

    def job(_):
        found = act(), threading.current_thread()
        return lambda: results.put(found)

    threads.start(job, Allowance(allowed_cpus(), of))
    return results.get(timeout=60)


@given(st.sets(st.integers(0, 200), min_size=1), st.integers(1, 300))
def test_threads_divide_the_cpus_as_evenly_as_can_be(cpus, of):
    shares = [share_of(cpus, number, of) for number in range(min(of, len(cpus)))]
    assert sorted(cpu for share in shares for cpu in share) == sorted(cpus)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert share_of(cpus, len(shares), of) == shares[0]


@needs_cpus
def test_a_thread_keeps_to_its_share_for_as_long_as_it_is_told():
    own = Threads()
    for of in (1, 2, 1):
        assert done(own, affinity, of)[0] == share_of(allowed_cpus(), 0, of)


@needs_cpus
def test_short_computations_at_once_are_on_different_cpus_and_so_is_what_follows_them():
    async def main():
        share, both, found = Cores(lambda: 2).share(2, threads=2), threading.Barrier(2, timeout=60), []

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


def test_who_begins_has_the_first_number_that_nobody_has_and_keeps_it_if_it_is_one_of_so_many():
    own = Threads()
    first, second, third = (Place(own) for _ in range(3))
    assert [own.number_for(one, 2) for one in (first, second, third)] == [0, 1, 2]
    own.free(first)
    assert [own.number_for(one, 2) for one in (second, third, first)] == [1, 0, 2]


@needs_cpus
def test_of_a_run_that_may_not_all_computations_may_be_anywhere():
    share = Cores(lambda: 2).share(2)
    assert trio.run(partial(share.compute, affinity, seconds=SHORT)) == allowed_cpus()


@needs_cpus
def test_threads_that_are_kept_from_some_cpus_go_on_with_as_many_as_there_are():
    async def main():
        share = Cores().share(2, threads=cores.available_cores())
        both, gate = threading.Barrier(2, timeout=60), threading.Event()

        def hold():
            assert gate.wait(60)

        async with trio.open_nursery() as nursery:
            for function in (hold, hold, both.wait, both.wait):  # the last two wait for each other
                nursery.start_soon(partial(share.compute, function, seconds=SHORT))
                await wait_all_tasks_blocked()
            gate.set()

    trio.run(main)


@needs_cpus
def test_what_the_system_refuses_is_no_error(monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    assert done(Threads(), lambda: "done", of=2)[0] == "done"


def test_where_the_system_knows_of_no_places_there_are_none(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert done(Threads(), lambda: "done", of=2)[0] == "done"
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


FORKING = """
import os, queue, sys
from exmc_actors.runtime.threads import PROCESS, Allowance

def done():
    told = queue.SimpleQueue()
    PROCESS.start(lambda place: lambda: told.put("done"), Allowance())
    return told.get(timeout=20)

done()
child = os.fork()
if child == 0:
    os._exit(0 if done() == "done" else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_process_that_was_forked_begins_threads_of_its_own():
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKING], check=True, timeout=60)


@pytest.mark.parametrize(("calls_back", "chains", "shared_by"), [(True, 3, 1), (False, 3, 2), (False, 1, 1)])
def test_chains_share_the_cpus_unless_they_call_back_into_python(calls_back, chains, shared_by):
    def bowl(q):
        nothing = jax.ShapeDtypeStruct((), np.float32)
        seen = jax.pure_callback(lambda _: np.float32(0.0), nothing, jax.lax.stop_gradient(q))
        return -0.5 * q @ q + (seen if calls_back else 0.0)

    async def main():
        settings = {"draws": 10, "tune": 0, "chains": chains, "cores": 2, "random_seed": 1}
        async with open_run(ex.LogDensity(bowl, np.zeros(2)), **settings) as run:
            await run.result()

    shares = []
    with pytest.MonkeyPatch.context() as patch:
        share = Cores.share
        patch.setattr(Cores, "share", lambda *args: shares.append(share(*args)) or shares[-1])
        trio.run(main)
    assert shares[0]._threads == shared_by
