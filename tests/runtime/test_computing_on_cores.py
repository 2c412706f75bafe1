"""What is computed on a core: a thread goes on with whoever is next, and nothing is lost on the way."""

import threading
import time
from functools import partial

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from exmc_actors.runtime import cores, threads
from exmc_actors.runtime.cores import Cores
from tests.runtime.test_cores import TURNS, in_loops


def test_a_thread_goes_on_with_whoever_is_next_while_the_loop_is_busy():
    async def main():
        share, is_blocked, second_has_run = Cores(lambda: 1).share(1), threading.Event(), threading.Event()

        def first():
            assert is_blocked.wait(60)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(share.compute, first)
            nursery.start_soon(share.compute, second_has_run.set)
            await wait_all_tasks_blocked()
            is_blocked.set()
            assert second_has_run.wait(60)  # no task runs meanwhile

    trio.run(main)


def test_what_is_computed_comes_back_and_what_it_raises_is_raised():
    async def main():
        share = Cores(lambda: 1).share(1)
        assert await share.compute(lambda: threading.get_ident()) != threading.get_ident()
        with pytest.raises(ZeroDivisionError):
            await share.compute(lambda: 1 / 0)
        async with share:  # it gave the core back
            pass

    trio.run(main)


def test_a_thread_wakes_those_who_wait_for_the_core_itself():
    async def main():
        shared, order, gate = Cores(lambda: 1), [], threading.Event()
        share = shared.share(1)

        async def hold():
            async with share:
                order.append("held")

        def first():
            assert gate.wait(60)
            order.append("first")

        async with trio.open_nursery() as nursery:
            for task in (
                partial(share.compute, first),
                hold,
                partial(share.compute, lambda: order.append("last")),
            ):
                nursery.start_soon(task)
                await wait_all_tasks_blocked()
            gate.set()
        assert order == ["first", "held", "last"]
        assert shared._turns.held == 0

    trio.run(main)


def test_a_thread_goes_on_with_who_has_a_higher_priority_and_then_in_turn():
    async def main():
        shared, order, gate = Cores(lambda: 1), [], threading.Event()
        many, one, high = shared.share(5), shared.share(5), shared.share(5, 1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(one.compute, gate.wait)
            await wait_all_tasks_blocked()
            for share, name in ((many, "many"), (many, "many"), (one, "one"), (high, "high")):
                nursery.start_soon(share.compute, partial(order.append, name))
                await wait_all_tasks_blocked()
            gate.set()
        assert order == ["high", "many", "one", "many"]

    trio.run(main)


def test_who_is_cancelled_leaves_the_line_but_waits_for_what_runs():
    async def main():
        share, runs, gate, ended = Cores(lambda: 1).share(1), trio.Event(), threading.Event(), []
        loop = trio.lowlevel.current_trio_token()

        def first():
            loop.run_sync_soon(runs.set)
            assert gate.wait(60)
            ended.append("first")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(share.compute, first)
            await runs.wait()
            nursery.start_soon(share.compute, lambda: ended.append("second"))
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
            with trio.CancelScope(shield=True):
                await wait_all_tasks_blocked()
            assert not ended
            gate.set()
        assert ended == ["first"]
        assert await share.compute(lambda: "third") == "third"

    trio.run(main)


def test_a_core_comes_back_where_there_is_no_room_for_a_thread(monkeypatch):
    def full(*_, **__):
        raise RuntimeError("can't start new thread")

    async def main():
        share = Cores(lambda: 1).share(1)
        with monkeypatch.context() as patch:
            patch.setattr(threads.PROCESS, "start", full)
            with pytest.raises(RuntimeError, match="can't start new thread"):
                await share.compute(lambda: None)
        assert await share.compute(lambda: "later") == "later"

    trio.run(main)


def test_a_failing_start_of_a_thread_leaves_the_core_to_whoever_waits(monkeypatch):
    start, fail = threads.PROCESS.start, iter([True])

    def full_once(*args, **more):
        if next(fail, False):
            raise RuntimeError("can't start new thread")
        start(*args, **more)

    async def main():
        shared, results = Cores(lambda: 1), []
        share = shared.share(1)

        async def compute():
            try:
                results.append(await share.compute(lambda: "computed"))
            except RuntimeError as error:
                results.append(str(error))

        async with share:
            async with trio.open_nursery() as nursery:
                for _ in range(3):
                    nursery.start_soon(compute)
                await wait_all_tasks_blocked()
                monkeypatch.setattr(threads.PROCESS, "start", full_once)
                shared._give_back(share._line)
                shared._give_away(trio.lowlevel.current_trio_token())
            shared._turns.held += 1  # that of this block
            share._line.held += 1
        assert sorted(results) == ["can't start new thread", "computed", "computed"]

    trio.run(main)


class Closed:
    """The token of a loop that broke down so hard that its wakeup socket is closed."""

    def run_sync_soon(self, *_):
        raise OSError("Bad file descriptor")


@pytest.mark.parametrize("function", [None, lambda: "for nobody"], ids=["a core", "a computation"])
def test_a_loop_that_broke_down_hard_takes_nothing_of_others_with_it(function):
    async def main():
        shared, gate = Cores(lambda: 1), threading.Event()
        share, gone = shared.share(1), shared.share(1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(share.compute, gate.wait)
            await wait_all_tasks_blocked()
            shared._turns.ask(gone._line, cores._Waiter(trio.lowlevel.current_task(), Closed(), function))
            nursery.start_soon(share.compute, lambda: None)
            await wait_all_tasks_blocked()
            gate.set()
        assert shared._turns.held == 0

    trio.run(main)


def test_a_thread_keeps_nothing_of_what_it_has_computed_when_it_tells_of_it(monkeypatch):
    kept, told = [], cores._Waiter.tell

    def tell(self):
        kept.append(self.function)
        told(self)

    monkeypatch.setattr(cores._Waiter, "tell", tell)

    async def main():
        assert await Cores(lambda: 1).share(1).compute(lambda: "made") == "made"

    trio.run(main)
    assert kept == [None]


def test_threads_of_many_loops_compute_on_no_more_cores_than_there_are():
    shared, lock, computing, most = Cores(lambda: 2), threading.Lock(), [0], [0]

    def compute():
        with lock:
            computing[0] += 1
            most[0] = max(most[0], computing[0])
        time.sleep(0)  # others may come in between
        with lock:
            computing[0] -= 1

    async def main(number):
        share, done = shared.share(2), [0]

        async def chain():
            for turn in range(TURNS):
                with trio.CancelScope() as scope:
                    if turn % 5 == 4:
                        scope.cancel()
                    await share.compute(compute)
                    done[0] += 1

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(chain)
        return done[0]

    assert set(in_loops(main).values()) == {3 * (TURNS - TURNS // 5)}
    assert most[0] <= 2
    assert shared._turns.held == 0
    assert not shared._turns._round
