"""All runs of a process share its cores: in turn, across event loops and threads, and none is lost."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from exmc_actors.opening import open_run
from exmc_actors.runtime import check, cores, inline, model_server, worker
from exmc_actors.runtime.cores import Cores
from tests.runtime.conftest import SETTINGS, FixedBlocks, draws_of, observe, schools, virtual

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
    def full(*_):
        raise RuntimeError("can't start new thread")

    async def main():
        share = Cores(lambda: 1).share(1)
        with monkeypatch.context() as patch:
            patch.setattr(trio.lowlevel, "start_thread_soon", full)
            with pytest.raises(RuntimeError, match="can't start new thread"):
                await share.compute(lambda: None)
        assert await share.compute(lambda: "later") == "later"

    trio.run(main)


def test_a_failing_start_of_a_thread_leaves_the_core_to_whoever_waits(monkeypatch):
    start, fail = trio.lowlevel.start_thread_soon, iter([True])

    def full_once(*args):
        if next(fail, False):
            raise RuntimeError("can't start new thread")
        start(*args)

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
                monkeypatch.setattr(trio.lowlevel, "start_thread_soon", full_once)
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
        time.sleep(0)
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


@dataclass
class Blocks:
    """Those that runs computed, and how many were computed at once."""

    computing: int = 0
    most: int = 0
    order: list = field(default_factory=list)
    """The run of each, as they began."""

    async def take_time(self, run):
        self.computing += 1
        self.most = max(self.most, self.computing)
        self.order.append(run)
        await trio.sleep(BLOCK)
        self.computing -= 1


@dataclass
class Named:
    """A runner that computes inline and bears the name of its run."""

    run: int

    async def __call__(self, function, **_):
        return await inline(function)


@pytest.fixture
def blocks(monkeypatch):
    """Let the blocks of named runs take virtual time, and all else none."""
    seen = Blocks()

    async def attempt(runner, function, **rest):
        if isinstance(runner, Named):
            await seen.take_time(runner.run)
        return await worker.attempt(runner, function, **rest)

    monkeypatch.setattr(model_server, "attempt", attempt)
    return seen


async def together(runs, priorities=(), **settings):
    """Sample in many runs at once and return their trees."""
    trees = {}

    async def sample(run):
        options = SETTINGS | {"runner": Named(run), "block_size": FixedBlocks()} | settings
        options["priority"] = priorities[run] if priorities else 0
        async with open_run(schools(), **options) as one:
            trees[run] = await one.result()

    async with trio.open_nursery() as nursery:
        for run in range(runs):
            nursery.start_soon(sample, run)
    return trees


@pytest.mark.slow
def test_many_runs_compute_on_no_more_cores_than_there_are_and_draw_what_they_draw_alone(monkeypatch, blocks):
    monkeypatch.setattr(cores, "PROCESS", Cores(lambda: 2))
    trees = virtual(lambda: together(10, cores=2))
    assert blocks.most == 2
    alone = draws_of(virtual(observe).tree)
    assert all(draws_of(tree) == alone for tree in trees.values())


def test_many_runs_advance_together(monkeypatch, blocks):
    """Ten runs on two cores: whenever one has computed, no other has had more than two turns meanwhile."""
    monkeypatch.setattr(cores, "PROCESS", Cores(lambda: 2))
    virtual(lambda: together(10, cores=2))
    total, done, looked = Counter(blocks.order), Counter(), 0
    for run in blocks.order:
        done[run] += 1
        if all(done[each] < total[each] - 3 for each in range(10)):  # no run is about to end
            assert max(done.values()) - min(done[each] for each in range(10)) <= 2
            looked += 1
    assert looked > 200


def test_a_run_of_a_higher_priority_ends_before_others_go_on(monkeypatch, blocks):
    monkeypatch.setattr(cores, "PROCESS", Cores(lambda: 1))
    virtual(lambda: together(3, priorities=(0, 1, 0)))
    last = max(place for place, run in enumerate(blocks.order) if run == 1)
    # Others compute before it has started, and where all of its chains wait for a lesson.
    others = [run for run in blocks.order[:last] if run != 1]
    assert len(others) < 0.2 * last
    assert set(blocks.order[last + 1 :]) == {0, 2}


def test_a_run_holds_no_more_cores_than_it_asked_for(monkeypatch, blocks):
    monkeypatch.setattr(cores, "PROCESS", Cores(lambda: 8))
    virtual(lambda: together(1, cores=2, chains=5))
    assert blocks.most == 2


def test_a_run_that_is_left_while_others_wait_gives_its_cores_back(monkeypatch, blocks):
    shared = Cores(lambda: 1)
    monkeypatch.setattr(cores, "PROCESS", shared)

    async def main():
        async def leave(run):
            options = SETTINGS | {"draws": 10**6, "runner": Named(run), "block_size": FixedBlocks()}
            async with open_run(schools(), **options):
                await trio.sleep(BLOCK * (1.5 + run))

        async with trio.open_nursery() as nursery:
            for run in range(5):
                nursery.start_soon(leave, run)
        assert shared._turns.held == 0
        assert not shared._turns._round
        return await together(1)

    assert virtual(main)[0].posterior.sizes["draw"] == SETTINGS["draws"]


def test_left_to_itself_a_run_may_have_every_core():
    assert check().cores == cores.available_cores() >= 1
