"""Runs with real workers: the bits of threads whatever happens to the processes, of which nothing is left."""

import os
import random
import select
import signal
import subprocess
import sys

import pytest
import trio

import exmc_actors as ex
from exmc_actors.messages import ChainFailed, ChainRestarted, DrawBlock
from exmc_actors.opening import open_run
from exmc_actors.runtime.executables import Executables
from exmc_actors.runtime.processes.worker_process import WorkerProcess
from tests.runtime.conftest import draws_of, observe, schools
from tests.runtime.processes.conftest import is_block_of
from tests.runtime.processes.test_workers import is_there

REAL = {"workers": "process", "cores": 2, "save_warmup": True}


@pytest.fixture(scope="module", autouse=True)
def compiled_once(tmp_path_factory):
    """Keep what the first worker of this module compiles for all others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXMC_CACHE_DIR", str(tmp_path_factory.mktemp("compiled")))
        yield


def pids_of(run):
    return run._parts.workers.pids


def test_real_workers_make_the_draws_of_threads_compile_for_the_parent_and_leave_nothing(
    undisturbed, monkeypatch
):
    def compiled(*_, **__):
        raise AssertionError("the parent compiles")

    monkeypatch.setattr(Executables, "_compiled", compiled)
    pids = []

    async def note(run):
        pids.extend(pids_of(run))

    seen = trio.run(lambda: observe(meddle=note, **REAL | {"cores": 1}))
    assert draws_of(seen.tree) == undisturbed
    assert len(pids) == 1
    assert not any(map(is_there, pids))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV"])
def test_workers_that_signals_end_at_random_moments_change_no_bit(undisturbed, name):
    chosen = random.Random(name)
    ended = []

    async def meddle(run):
        async with run.subscribe(overflow=ex.WAIT, from_start=True) as feed:
            async for message in feed:
                if isinstance(message, DrawBlock) and chosen.random() < 0.1 and pids_of(run):
                    pid = chosen.choice(pids_of(run))
                    os.kill(pid, getattr(signal, name))
                    ended.append(pid)

    seen = trio.run(lambda: observe(meddle=meddle, **REAL))
    assert draws_of(seen.tree) == undisturbed
    assert ended
    assert not any(map(is_there, ended))


@pytest.mark.slow
def test_a_chain_whose_blocks_always_kill_their_worker_ends_alone(monkeypatch):
    ask = WorkerProcess.ask

    async def asked(self, request):
        if is_block_of(1, request):
            os.kill(self.pid, signal.SIGSEGV)
        return await ask(self, request)

    monkeypatch.setattr(WorkerProcess, "ask", asked)
    seen = trio.run(lambda: observe(**REAL))
    (failed,) = [message for message in seen.messages if isinstance(message, ChainFailed)]
    assert failed.chain == 1
    assert "gave up after 3 attempts at one block" in failed.reason
    assert "a worker process was ended by SIGSEGV" in failed.reason
    assert list(seen.tree.posterior.chain.values) == [0, 2]


@pytest.mark.slow
def test_workers_leave_ctrl_c_to_their_parent(undisturbed):
    async def interrupt(run):
        for pid in pids_of(run):
            os.kill(pid, signal.SIGINT)

    seen = trio.run(lambda: observe(meddle=interrupt, **REAL))
    assert draws_of(seen.tree) == undisturbed
    assert not [message for message in seen.messages if isinstance(message, ChainRestarted)]


@pytest.mark.slow
def test_a_worker_that_hangs_is_replaced_after_the_patience(undisturbed):
    stopped = []

    async def stop(run):
        async with run.subscribe(overflow=ex.WAIT) as feed:
            await anext(feed)
            stopped.extend(pids_of(run)[:1])
            os.kill(stopped[0], signal.SIGSTOP)

    # Of several workers the one that is stopped may not have loaded the program yet.
    seen = trio.run(lambda: observe(meddle=stop, patience=5, **REAL | {"cores": 1}))
    assert draws_of(seen.tree) == undisturbed
    reasons = [message.reason for message in seen.messages if isinstance(message, ChainRestarted)]
    assert any("longer than the run's patience of 5 s" in reason for reason in reasons)
    assert not any(map(is_there, stopped))


@pytest.mark.slow
def test_leaving_kills_workers_in_the_midst_of_a_block_at_once():
    async def main():
        async with open_run(schools(), draws=10**6, random_seed=1, workers="process", cores=2) as run:
            async with run.subscribe() as feed:
                await anext(feed)
            for pid in pids_of(run):
                os.kill(pid, signal.SIGSTOP)  # no block ends any more
            return pids_of(run)

    pids = trio.run(main)
    assert len(pids) == 2
    assert not any(map(is_there, pids))


PARENT = """if True:
    import sys, trio
    import exmc_actors as ex
    from tests.runtime.conftest import schools

    async def main():
        async with ex.open_run(schools(), draws=10**9, random_seed=1, workers="process", cores=2) as run:
            async with run.subscribe(from_start=True) as feed:
                async for _ in feed:
                    print(*run._parts.workers.pids, flush=True)
                    await trio.sleep_forever()

    trio.run(main)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="other systems have no such waiting")
def test_workers_end_with_a_parent_that_is_killed():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    try:
        workers = [os.pidfd_open(int(word)) for word in parent.stdout.readline().split()]
    finally:
        parent.kill()
        parent.communicate()
    assert len(workers) == 2
    for worker in workers:  # it can be read when the process has ended
        assert select.select([worker], [], [], 30.0)[0] == [worker]
        os.close(worker)
