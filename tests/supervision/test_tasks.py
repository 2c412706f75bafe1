import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv


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


async def test_tasks_under_what_is_no_dynamic_supervisor_are_refused():
    async with sv.open_supervisor([]) as sup:
        with pytest.raises(sv.SpecError, match="Tasks run under a dynamic supervisor"):
            sv.Tasks(sup)
