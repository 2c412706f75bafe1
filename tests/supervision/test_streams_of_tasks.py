"""Run a function for each of many items, some at a time."""

import gc
import warnings

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv


async def double(number):
    await trio.sleep(number)
    return 2 * number


async def boom(*_):
    raise ValueError("boom")


class Meter:
    """Doubles numbers, each in its own time, and remembers how many were at it at once."""

    def __init__(self):
        self.running = self.most = 0

    async def __call__(self, number):
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            return await double(number)
        finally:
            self.running -= 1


@pytest.mark.parametrize(("ordered", "expected"), [(True, [6, 2, 4, 8]), (False, [2, 4, 6, 8])])
async def test_a_stream_gives_results_in_the_order_of_the_items_or_of_the_ends(in_tasks, ordered, expected):
    async with in_tasks() as tasks:
        stream = tasks.async_stream(double, [3, 1, 2, 4], max_concurrency=4, ordered=ordered)
        async with stream as results:
            assert [result async for result in results] == expected
        assert trio.current_time() == pytest.approx(4, abs=0.01)


@pytest.mark.parametrize("ordered", [True, False])
async def test_a_stream_runs_no_more_at_a_time_than_it_may(in_tasks, ordered):
    meter = Meter()
    options = {"max_concurrency": 3, "ordered": ordered}
    async with in_tasks() as tasks, tasks.async_stream(meter, range(1, 20), **options) as results:
        assert sorted([result async for result in results]) == list(range(2, 40, 2))
    assert meter.most == 3


async def test_a_stream_takes_items_only_as_results_are_taken(in_tasks):
    taken = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    async with in_tasks() as tasks, tasks.async_stream(double, items(), max_concurrency=2) as results:
        assert await anext(results) == 0
        await trio.sleep(1000)
        assert taken == [0, 1, 2]


async def test_a_stream_takes_items_from_an_async_source(in_tasks):
    async def items():
        for number in (1, 2):
            await trio.sleep(1)
            yield number

    async with in_tasks() as tasks, tasks.async_stream(double, items()) as results:
        assert [result async for result in results] == [2, 4]


async def fail_at_two(number):
    return await (boom() if number == 2 else double(number))


async def test_a_failure_is_raised_where_its_value_would_be_and_the_rest_is_stopped(in_tasks):
    seen = []
    meter = Meter()

    async def work(number):
        return await fail_at_two(number) if number < 3 else await meter(1000)

    async def read(tasks):
        async with tasks.async_stream(work, [1, 2, 3, 4]) as results:
            async for result in results:
                seen.append(result)  # noqa: PERF401 - what came before the error is wanted

    async with in_tasks() as tasks:
        with pytest.raises(sv.ProcessExited, match="boom"):
            await read(tasks)
        assert seen == [2]
        assert meter.running == 0
        assert trio.current_time() < 5


async def test_without_links_a_failure_ends_nothing_else(in_tasks):
    async with in_tasks() as tasks, tasks.async_stream_nolink(fail_at_two, [1, 2, 3]) as ended:
        reasons = [str(await task.ref.wait_exited()) async for task in ended]
    assert reasons == ["normal end", "crash: ValueError('boom')", "normal end"]


async def test_leaving_a_stream_early_stops_what_is_left_and_kills_what_does_not_stop(in_tasks):
    async def stubborn(number):
        try:
            await trio.sleep(number)
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(2)

    async def main(tasks):
        async with tasks.async_stream(stubborn, [1, 10, 10]) as results:
            await anext(results)

    opened = in_tasks()
    async with opened as tasks:
        await main(tasks)
        await wait_all_tasks_blocked()
        assert opened.supervisor.which_children() == ()
        assert trio.current_time() == pytest.approx(5, abs=0.01)


async def test_a_cancelled_stream_kills_its_tasks_and_waits_for_their_ends(in_tasks):
    async def deaf(_):
        sv.trap_exit()
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(3)

    opened = in_tasks()
    async with opened as tasks:
        with trio.move_on_after(1):
            async with tasks.async_stream(deaf, [1, 2]) as results:
                await anext(results)
        assert trio.current_time() == 1 + 3
        await wait_all_tasks_blocked()
        assert opened.supervisor.which_children() == ()


async def test_a_server_that_is_asked_to_end_while_it_reads_a_stream_still_cleans_up(in_tasks, events):
    async def deaf(_):
        sv.trap_exit()
        await trio.sleep_forever()

    class Reader(sv.Server):
        async def handle_cast(self, message):
            async with tasks.async_stream(deaf, [1, 2]) as results:
                await anext(results)

        async def terminate(self, reason):
            events.append(f"cleaned up: {reason}")

    async with in_tasks() as tasks, sv.open_supervisor([sv.ChildSpec("reader", Reader)]) as sup:
        sup.child("reader").cast("read")
        await trio.sleep(1)
    assert events == ["cleaned up: shutdown"]
    assert trio.current_time() == 1


async def test_a_cancellation_while_a_stream_is_left_is_raised_there(in_tasks, events):
    async def slow(_):
        try:
            await trio.sleep(0 if not events else 9)
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(3)

    async with in_tasks() as tasks:
        with trio.move_on_after(4):
            async with tasks.async_stream(slow, [1, 2, 3], max_concurrency=2) as results:
                await anext(results)
                events.append("first")
            events.append("went on")
    assert events == ["first"]


async def test_a_stream_in_a_process_that_is_killed_kills_its_tasks_at_once(in_tasks):
    async def deaf(_):
        sv.trap_exit()
        await trio.sleep_forever()

    async def consumer(tasks):
        async with tasks.async_stream(deaf, [1, 2]) as results:
            await anext(results)

    opened = in_tasks()
    async with opened as tasks, sv.open_supervisor([]) as sup:
        reader = await sup.start_child(sv.ChildSpec("reader", consumer, (tasks,), restart="temporary"))
        await trio.sleep(1)
        reader.exit(sv.KILL)
        await wait_all_tasks_blocked()
        assert opened.supervisor.which_children() == ()
        assert trio.current_time() == 1


async def test_an_item_whose_start_was_cancelled_or_refused_is_the_next_one(in_tasks):
    class SlowStart(sv.Server):
        async def init(self):
            await trio.sleep(2)

    opened = in_tasks(max_children=2)
    async with (
        opened as tasks,
        trio.open_nursery() as nursery,
        tasks.async_stream(double, [0, 0.1, 0.2, 0.3], max_concurrency=1) as results,
    ):
        seen = [await anext(results)]
        slow = sv.ChildSpec("slow", SlowStart, restart="temporary")
        nursery.start_soon(opened.supervisor.start_child, slow)
        await wait_all_tasks_blocked()
        with trio.move_on_after(1) as scope:
            await anext(results)
        assert scope.cancelled_caught
        await trio.sleep(2)
        blocker = await tasks.async_nolink(trio.sleep_forever)
        with pytest.raises(sv.TooManyChildren):
            await anext(results)
        await tasks.stop([blocker])
        seen += [result async for result in results]
    assert seen == [0, 0.2, 0.4, 0.6]


async def test_an_item_that_its_task_has_begun_with_is_not_given_to_another_one(in_tasks):
    async def cancelling(number):
        begun.append(number)
        if number == 2 and scope is not None:
            scope.cancel()
            await trio.lowlevel.checkpoint()
        return number

    begun, scope = [], None
    async with (
        in_tasks() as tasks,
        tasks.async_stream(cancelling, [1, 2, 3], max_concurrency=1) as results,
    ):
        assert await anext(results) == 1
        with trio.CancelScope() as scope:
            await anext(results)
        scope = None
        rest = [result async for result in results]
    assert begun.count(2) == 1
    assert rest[-1] == 3


async def test_a_stream_that_is_left_early_has_nothing_to_be_closed(in_tasks):
    async with in_tasks() as tasks:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            async with tasks.async_stream(double, [1, 2, 3], max_concurrency=1) as results:
                await anext(results)
            del results
            gc.collect()
            await wait_all_tasks_blocked()
    assert caught == []


@pytest.mark.parametrize("number", [0, -1, 2.5, True])
async def test_a_concurrency_that_is_none_is_refused(in_tasks, number):
    async with in_tasks() as tasks:
        with pytest.raises(sv.SpecError, match="max_concurrency must be"):
            tasks.async_stream(double, [], max_concurrency=number)
