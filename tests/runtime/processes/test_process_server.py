"""Blocks that workers compute are those of threads, and what happens to a worker is that of one call."""

from dataclasses import replace

import pytest
import trio

import exmc_actors as ex
import supervision as sv
from exmc_actors.messages import ChainFailed, ChainRestarted
from exmc_actors.runtime.processes.talk import (
    AdvanceChains,
    Failed,
    Open,
    decode_request,
    encode_answer,
)
from exmc_actors.runtime.processes.worker_process import WorkerDied
from tests.runtime.conftest import SETTINGS, draws_of, observe, virtual
from tests.runtime.processes.conftest import is_block_of


def in_workers(**settings):
    return virtual(lambda: observe(workers="process", save_warmup=True, cores=2, **settings))


def failures(seen):
    return {message.chain: message.reason for message in seen.messages if isinstance(message, ChainFailed)}


def changed(change):
    """Return a fate by which the first block of chain 1 is answered with another answer."""

    async def happen(worker, request):
        if not is_block_of(1, request):
            return None
        answer = worker.answering.answer_or_fail(request)
        return change(answer)

    return happen


def test_workers_make_the_draws_of_threads(fates, undisturbed):
    seen = in_workers()
    assert draws_of(seen.tree) == undisturbed
    assert not [message for message in seen.messages if isinstance(message, ChainRestarted)]
    assert not any(worker.is_alive for worker in fates.workers)


def test_what_is_to_be_done_while_a_program_is_compiled_is_done_where_workers_compile_it(fates, undisturbed):
    done = []
    seen = in_workers(parts=lambda parts: replace(parts, meanwhile=lambda: done.append(None)))
    assert draws_of(seen.tree) == undisturbed
    assert len(done) == 1


def test_workers_look_for_a_start_where_threads_do(fates):
    b = ex.Builder()
    b.rv("mu", ex.Normal(0.0, 1.0))
    x = b.rv("x", ex.Normal(0.0, 1.0), shape=2)
    b.potential("wall", ex.math.log(x[0]) + ex.math.log(x[1]))
    settings = {"model": b.model(), "initvals": {"mu": 0.5}, "save_warmup": True}
    threads = virtual(lambda: observe(**settings))
    workers = virtual(lambda: observe(workers="process", cores=2, **settings))
    assert draws_of(workers.tree) == draws_of(threads.tree)


@pytest.mark.parametrize("request_number", [2, 5, 11])
def test_a_worker_that_dies_is_replaced_and_its_block_computed_again(fates, undisturbed, request_number):
    asked = []

    async def happen(worker, request):
        asked.append(request)
        if len(asked) == request_number:
            worker.die()

    fates.happen = happen
    seen = in_workers()
    assert draws_of(seen.tree) == undisturbed
    restarts = [message.reason for message in seen.messages if isinstance(message, ChainRestarted)]
    assert restarts
    assert all("WorkerDied: a worker process was ended by SIGSEGV" in reason for reason in restarts)


def test_a_worker_that_dies_while_it_idles_is_no_fault_of_any_chain(fates, undisturbed):
    asked = []

    async def happen(worker, request):
        asked.append(request)
        if len(asked) == 6:
            for one in fates.workers:
                one.is_alive = one is worker

    fates.happen = happen
    seen = in_workers()
    assert draws_of(seen.tree) == undisturbed
    assert [message for message in seen.messages if isinstance(message, ChainRestarted)] == []


def test_a_block_that_always_kills_its_worker_ends_its_chain_alone(fates):
    async def happen(worker, request):
        if is_block_of(1, request):
            worker.die()

    fates.happen = happen
    seen = in_workers()
    assert list(failures(seen)) == [1]
    assert "gave up after 3 attempts" in failures(seen)[1]
    assert "ended by SIGSEGV" in failures(seen)[1]
    assert list(seen.tree.posterior.chain.values) == [0, 2]


def test_a_block_that_raises_leaves_its_worker_alive(fates):
    async def happen(worker, request):
        return encode_answer(Failed("FloatingPointError", "the poison")) if is_block_of(1, request) else None

    fates.happen = happen
    seen = in_workers()
    assert "WorkerRaised: FloatingPointError: the poison" in failures(seen)[1]
    assert len(fates.workers) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: b"",
        lambda answer: b"\xff" * 100,
        lambda answer: encode_answer(answer)[:-9],
        lambda answer: encode_answer([replace(answer[0], values=answer[0].values[:, 1:]), *answer[1:]]),
        lambda answer: encode_answer([replace(answer[0], stats=answer[0].stats[1:]), *answer[1:]]),
        lambda answer: encode_answer([*answer, answer[0]]),
        lambda answer: encode_answer([replace(answer[0], pairs=None), *answer[1:]]),
    ],
    ids=["nothing", "noise", "torn", "columns", "rows", "one too many", "no pairs"],
)
def test_an_answer_that_is_none_is_named_and_ends_its_worker(fates, change):
    fates.happen = changed(lambda answer: change(answer) or b"\xc1")
    seen = in_workers()
    assert "WorkerDied: a worker process answered" in failures(seen)[1]
    assert list(seen.tree.posterior.chain.values) == [0, 2]
    assert len(fates.workers) == 2 + 3


def test_a_worker_beyond_the_patience_is_ended_and_its_chain_goes_on(fates, undisturbed):
    slow = []

    async def happen(worker, request):
        if is_block_of(2, request) and not slow:
            slow.append(worker)
            await trio.sleep_forever()

    fates.happen = happen
    seen = in_workers(patience=30)
    assert draws_of(seen.tree) == undisturbed
    (restart,) = [message for message in seen.messages if isinstance(message, ChainRestarted)]
    assert restart.chain == 2
    assert "longer than the run's patience of 30 s" in restart.reason
    assert not slow[0].is_alive


def test_a_worker_that_does_not_load_the_program_is_ended_beyond_the_patience(fates, undisturbed):
    async def happen(worker, request):
        # The last that was spawned is the first to be opened.
        if worker is fates.workers[0] and isinstance(decode_request(request), Open):
            await trio.sleep_forever()

    fates.happen = happen
    seen = in_workers(patience=30)
    assert draws_of(seen.tree) == undisturbed
    (restart,) = [message for message in seen.messages if isinstance(message, ChainRestarted)]
    assert "has not loaded the program within 30 s" in restart.reason
    assert not fates.workers[0].is_alive


def test_the_first_worker_may_compile_for_longer_than_the_patience_and_others_for_some_times_that(fates):
    async def happen(worker, request):
        if isinstance(decode_request(request), Open):
            await trio.sleep(1000 if worker is fates.workers[0] else 100)

    fates.happen = happen
    seen = in_workers(patience=1)
    assert len(fates.workers) > 1
    assert not [message for message in seen.messages if isinstance(message, ChainRestarted)]


def test_what_others_load_quickly_makes_no_limit_tighter(fates, undisturbed):
    opened = []

    async def happen(worker, request):
        if isinstance(decode_request(request), Open):
            opened.append(worker)
            await trio.sleep({1: 100, 2: 1}.get(len(opened), 900))
        elif len(opened) == 2 and worker is opened[1]:
            worker.die()

    fates.happen = happen
    seen = in_workers(patience=10)
    reasons = [message.reason for message in seen.messages if isinstance(message, ChainRestarted)]
    assert len(opened) > 2
    assert reasons
    assert not any("has not loaded" in reason for reason in reasons)
    assert draws_of(seen.tree) == undisturbed


def test_a_server_that_begins_again_waits_no_longer_for_its_workers_than_before(fates, undisturbed):
    hung = []

    async def happen(worker, request):
        if isinstance(decode_request(request), Open) and hung == ["soon"]:
            hung.append(worker)
            await trio.sleep_forever()

    async def meddle(run):
        async with run.subscribe(overflow=ex.WAIT) as feed:
            await anext(feed)
            hung.append("soon")
            for worker in fates.workers:
                worker.is_alive = False
            run.supervisor.child("engine", "model server").exit(sv.KILL)

    fates.happen = happen
    seen = in_workers(meddle=meddle, patience=10)
    assert len(hung) == 2
    assert draws_of(seen.tree) == undisturbed


def test_a_chain_whose_block_never_ends_is_stopped_and_another_one_is_added(fates, undisturbed):
    async def happen(worker, request):
        if is_block_of(2, request):
            await trio.sleep_forever()

    async def meddle(run):
        await trio.sleep(100)
        assert await run.stop_chain(2)
        assert list(await run.add_chains()) == [3]

    fates.happen = happen
    seen = in_workers(meddle=meddle)
    assert list(seen.tree.posterior.chain.values) == [0, 1, 3]
    assert seen.tree.attrs["stopped_chains"] == [2]


def test_a_chain_gives_up_whose_block_exceeds_the_patience_three_times(fates):
    async def happen(worker, request):
        if is_block_of(2, request):
            await trio.sleep_forever()

    fates.happen = happen
    seen = in_workers(patience=0.5)
    assert "gave up after 3 attempts" in failures(seen)[2]
    assert "patience of 0.5 s" in failures(seen)[2]


def test_a_worker_that_cannot_compile_the_model_ends_the_run_with_its_reason(fates):
    async def happen(worker, request):
        worker.answering._compile = lambda model: 1 / 0

    fates.happen = happen
    with pytest.raises(WorkerDied, match="could not compile the model: ZeroDivisionError"):
        in_workers()
    assert not any(worker.is_alive for worker in fates.workers)


def test_each_request_is_of_as_many_transitions_as_its_answer(fates):
    asked = []

    async def happen(worker, request):
        asked.append(decode_request(request))

    fates.happen = happen
    in_workers()
    blocks = [one for one in asked if isinstance(one, AdvanceChains)]
    made = sum(transitions for block in blocks for _, transitions in block.chains)
    assert made == SETTINGS["chains"] * (SETTINGS["draws"] + SETTINGS["tune"])
