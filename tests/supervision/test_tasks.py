import gc
import warnings

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv


@pytest.fixture
def in_tasks():
    """Open a dynamic supervisor with tasks under it."""

    def open_tasks(**options):
        return _Opened(sv.open_dynamic_supervisor(**options))

    class _Opened:
        def __init__(self, scope):
            self.scope = scope

        async def __aenter__(self):
            self.supervisor = await self.scope.__aenter__()
            return sv.Tasks(self.supervisor)

        async def __aexit__(self, *failure):
            return await self.scope.__aexit__(*failure)

    return open_tasks


async def double(number):
    await trio.sleep(number)
    return 2 * number


async def boom(*_):
    raise ValueError("boom")


async def test_a_task_runs_meanwhile_and_its_result_can_be_waited_for_twice(in_tasks):
    async with in_tasks() as tasks:
        task = await tasks.async_nolink(double, 21)
        with pytest.raises(trio.WouldBlock):
            task.result_nowait()
        assert await task.result() == 42
        assert await task.result() == task.result_nowait() == 42
        assert trio.current_time() == pytest.approx(21, abs=0.01)


async def test_a_task_without_a_value_returns_none(in_tasks):
    async with in_tasks() as tasks:
        task = await tasks.async_nolink(trio.sleep, 1)
        assert await task.result() is None


async def test_a_crash_is_told_by_the_result_and_by_nobody_else(in_tasks):
    async with in_tasks() as tasks:
        task = await tasks.async_nolink(boom)
        with pytest.raises(sv.ProcessExited, match="crash: ValueError") as raised:
            await task.result()
        assert str(raised.value.__cause__) == "boom"
        assert await (await tasks.async_nolink(double, 1)).result() == 2


async def test_a_task_is_a_temporary_child_that_bears_the_name_of_its_function(in_tasks):
    opened = in_tasks()
    async with opened as tasks:
        task = await tasks.async_nolink(double, 1)
        [child] = opened.supervisor.which_children()
        assert (child.id, child.ref) == ("double", task.ref)
        assert repr(task) == "<task 'double'>"
        await task.result()
        await wait_all_tasks_blocked()
        assert opened.supervisor.which_children() == ()


async def test_tasks_end_with_their_supervisor(in_tasks):
    async with in_tasks() as tasks:
        task = await tasks.async_nolink(trio.sleep_forever)
    with pytest.raises(sv.ProcessExited, match="shutdown"):
        await task.result()


async def test_a_refusal_of_the_supervisor_is_raised(in_tasks):
    async with in_tasks(max_children=1) as tasks:
        await tasks.async_nolink(trio.sleep_forever)
        with pytest.raises(sv.TooManyChildren):
            await tasks.async_nolink(trio.sleep_forever)


async def test_a_supervisor_further_down_is_reached_by_its_name():
    names = sv.Registry()
    async with sv.open_supervisor([sv.dynamic_supervisor("tasks", name=names.via("tasks"))]):
        tasks = sv.Tasks(names.via("tasks"))
        assert await (await tasks.async_nolink(double, 4)).result() == 8


async def test_a_task_whose_start_nobody_waits_for_any_more_is_not_run(in_tasks, events):
    async def note():
        events.append("run")

    async with in_tasks() as tasks:
        with trio.CancelScope() as scope:
            scope.cancel()
            await tasks.async_nolink(note)
        await wait_all_tasks_blocked()
    assert events == []


# Linked tasks


async def test_a_crash_of_a_linked_task_is_the_crash_of_whoever_started_it(in_tasks):
    async def caller(tasks):
        await tasks.async_(boom)
        await trio.sleep_forever()

    async with in_tasks() as tasks, sv.open_dynamic_supervisor() as sup:
        ref = await sup.start_child(sv.ChildSpec("caller", caller, (tasks,), restart="temporary"))
        assert str(await ref.wait_exited()) == "crash: ValueError('boom')"


async def test_a_linked_task_ends_when_whoever_started_it_crashes_and_goes_on_when_it_ends_normally(in_tasks):
    started = []

    async def caller(tasks, fails):
        started.append(await tasks.async_(double, 10))
        if fails:
            await boom()

    async with in_tasks() as tasks, sv.open_dynamic_supervisor() as sup:
        for fails in (True, False):
            ref = await sup.start_child(sv.ChildSpec("caller", caller, (tasks, fails), restart="temporary"))
            await ref.wait_exited()
        crashed, survived = started
        with pytest.raises(sv.ProcessExited, match="boom"):
            await crashed.result()
        assert await survived.result() == 20


async def test_a_linked_task_needs_somebody_to_be_linked_to(in_tasks):
    async with in_tasks() as tasks:
        with pytest.raises(sv.SpecError, match="Use async_nolink"):
            await tasks.async_(double, 1)


# Streams


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


async def test_tasks_under_what_is_no_dynamic_supervisor_are_refused():
    async with sv.open_supervisor([]) as sup:
        with pytest.raises(sv.SpecError, match="Tasks run under a dynamic supervisor"):
            sv.Tasks(sup)
