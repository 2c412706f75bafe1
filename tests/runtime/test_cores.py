"""All runs of a process share its cores: in turn, across event loops and threads, and none is lost."""

import threading
from collections import Counter

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from exmc_actors.runtime import check, cores
from exmc_actors.runtime.cores import Cores
from tests.runtime.conftest import virtual

BLOCK = 0.05
"""Virtual seconds that a block takes."""


def test_a_core_that_is_free_is_given_at_once():
    async def main():
        share = Cores(lambda: 1).share(1)
        for _ in range(3):
            async with share:
                await trio.lowlevel.checkpoint()

    virtual(main)


def test_who_waits_goes_on_when_a_core_is_given_back_and_runs_take_turns():
    async def main():
        shared, order = Cores(lambda: 1), []

        async def compute(share, name):
            async with share:
                order.append(name)
                await trio.sleep(BLOCK)

        many, one = shared.share(5), shared.share(5)
        async with trio.open_nursery() as nursery:
            for number in range(4):
                nursery.start_soon(compute, many, f"many {number}")
                await wait_all_tasks_blocked()
            nursery.start_soon(compute, one, "one")
        return order, trio.current_time()

    clock = MockClock(autojump_threshold=0)
    order, _ = trio.run(main, clock=clock)
    assert order == ["many 0", "many 1", "one", "many 2", "many 3"]


def test_who_has_a_higher_priority_goes_before_those_who_have_waited_longer():
    async def main():
        shared, order = Cores(lambda: 1), []

        async def compute(share, name):
            async with share:
                order.append(name)
                await trio.sleep(BLOCK)

        low, high = shared.share(5), shared.share(5, 1)
        async with trio.open_nursery() as nursery:
            for share, name in ((low, "low 0"), (low, "low 1"), (high, "high 0"), (high, "high 1")):
                nursery.start_soon(compute, share, name)
                await wait_all_tasks_blocked()
        return order

    assert virtual(main) == ["low 0", "high 0", "high 1", "low 1"]


def test_who_is_cancelled_while_waiting_leaves_its_place_to_the_next():
    async def main():
        share, order = Cores(lambda: 1).share(1), []

        async def compute(name, scope):
            with scope:
                async with share:
                    order.append(name)
                    await trio.sleep(BLOCK)

        scopes = [trio.CancelScope() for _ in range(3)]
        async with trio.open_nursery() as nursery:
            for number, scope in enumerate(scopes):
                nursery.start_soon(compute, number, scope)
                await wait_all_tasks_blocked()
            scopes[1].cancel()
        assert share._line.held == 0
        return order

    assert virtual(main) == [0, 2]


def test_who_is_cancelled_while_computing_gives_the_core_back():
    async def main():
        share = Cores(lambda: 1).share(1)
        with trio.move_on_after(BLOCK):
            async with share:
                await trio.sleep_forever()
        with trio.fail_after(BLOCK):
            async with share:
                pass

    virtual(main)


def test_who_comes_cancelled_gets_none():
    async def main():
        share = Cores(lambda: 1).share(1)
        with trio.CancelScope() as scope:
            scope.cancel()
            async with share:
                raise AssertionError("it computes")
        assert scope.cancelled_caught
        assert (share._line.held, len(share._line.waiting)) == (0, 0)

    virtual(main)


LOOPS, TURNS = 6, 40


def in_loops(main):
    """Run ``main(number)`` in six event loops, each in a thread of its own, and return what they returned."""
    results = {}

    def run(number):
        results[number] = trio.run(main, number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(LOOPS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(results) == list(range(LOOPS))
    return results


@pytest.mark.parametrize("count", [1, 2])
def test_loops_in_threads_of_their_own_share_the_cores_and_lose_none(count):
    shared, lock, computing, most = Cores(lambda: count), threading.Lock(), [0], [0]

    async def main(number):
        share, done = shared.share(2), [0]

        async def chain():
            for _ in range(TURNS):
                async with share:
                    with lock:
                        computing[0] += 1
                        most[0] = max(most[0], computing[0])
                    await trio.lowlevel.checkpoint()
                    with lock:
                        computing[0] -= 1
                done[0] += 1

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(chain)
        return done[0]

    assert set(in_loops(main).values()) == {3 * TURNS}
    assert most[0] == count
    assert shared._turns.held == 0


def test_cancelling_in_one_loop_while_another_gives_a_core_away_loses_none():
    shared, served = Cores(lambda: 1), Counter()

    async def main(number):
        share = shared.share(1)

        async def impatient(turn):
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(compute)
                    for _ in range(turn % 7):
                        await trio.lowlevel.checkpoint()
                    if number % 2:
                        scope.cancel()

        async def compute():
            async with share:
                served[number] += 1
                await trio.lowlevel.checkpoint()

        for turn in range(TURNS):
            await impatient(turn)

    in_loops(main)
    assert all(served[number] == TURNS for number in range(0, LOOPS, 2))
    assert shared._turns.held == 0
    assert not shared._turns._round


def test_a_core_given_to_a_loop_that_broke_down_goes_to_the_next():
    async def main():
        shared = Cores(lambda: 1)
        share, gone = shared.share(1), shared.share(1)

        async def token():
            return trio.lowlevel.current_trio_token()

        ended = await trio.to_thread.run_sync(trio.run, token)
        async with share:
            shared._turns.ask(gone._line, cores._Waiter(trio.lowlevel.current_task(), ended))
        with trio.fail_after(60):
            async with share:
                assert gone._line.held == 0

    trio.run(main)


def test_left_to_itself_a_run_may_have_every_core():
    assert check().cores == cores.available_cores() >= 1
