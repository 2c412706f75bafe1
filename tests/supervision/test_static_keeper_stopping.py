"""OTP's rules for starting in order, stopping in reverse, and ending when the work is done."""

import contextlib

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv


def boom():
    return ValueError("boom")


def stopped(events):
    return [event.partition(":")[0].removeprefix("stop ") for event in events if event.startswith("stop")]


# Starting


async def test_each_child_has_started_before_the_next_one_is(events):
    async def slow(id, *, task_status):
        events.append(f"starting {id}")
        await trio.sleep(1)
        events.append(f"started {id}")
        task_status.started()
        await trio.sleep_forever()

    async with sv.open_supervisor([sv.ChildSpec(id, slow, (id,)) for id in "ab"]):
        assert events == ["starting a", "started a", "starting b", "started b"]


async def test_a_failure_during_the_first_start_stops_the_others_in_reverse_and_is_not_retried(probe, events):
    error = boom()
    with pytest.raises(sv.StartFailed, match="'c' did not start") as raised:
        async with sv.open_supervisor([probe("a"), probe("b"), probe("c", fails=[error]), probe("d")]):
            pytest.fail("the body must not run")
    assert raised.value.__cause__ is error
    assert events == ["start a", "start b", "start c", "stop b: shutdown", "stop a: shutdown"]


async def test_a_nested_supervisor_that_fails_to_start_is_a_failed_start(probe, events):
    inner = sv.supervisor("inner", [probe("b"), probe("c", fails=[boom()])])
    with pytest.raises(sv.StartFailed, match="'inner'") as raised:
        async with sv.open_supervisor([probe("a"), inner]):
            pass
    assert raised.value.__cause__.child == "c"
    assert stopped(events) == ["b", "a"]


async def test_a_cancellation_during_the_first_start_stops_what_had_started_in_reverse(probe, events):
    async def never_starts(*, task_status):
        await trio.sleep_forever()

    inner = sv.supervisor("inner", [probe("b"), sv.ChildSpec("never", never_starts)])
    with trio.move_on_after(1) as scope:
        async with sv.open_supervisor([probe("a"), inner]):
            pytest.fail("the body must not run")
    assert scope.cancelled_caught
    assert events == ["start a", "start b", "stop b: shutdown", "stop a: shutdown"]


# Stopping


async def test_children_stop_one_by_one_in_reverse_each_within_its_own_time(events):
    async def stubborn(id, seconds):
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(seconds)
            events.append((id, trio.current_time() - begin))

    async with sv.open_supervisor(
        [sv.ChildSpec("a", stubborn, ("a", 1)), sv.ChildSpec("b", stubborn, ("b", 2), shutdown=3)]
    ):
        begin = trio.current_time()
    assert events == [("b", 2.0), ("a", 3.0)]


async def test_a_child_that_does_not_stop_in_time_is_killed(events):
    async def slow():
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(4)
            await trio.sleep(4)
            events.append("finished")

    class Slow(sv.Server):
        async def terminate(self, reason):
            await trio.sleep(60)
            events.append("finished")

    begin = trio.current_time()
    async with sv.open_supervisor(
        [sv.ChildSpec("slow", Slow, shutdown=2), sv.ChildSpec("fn", slow, shutdown=1)]
    ):
        pass
    assert trio.current_time() - begin == 4 + 2
    assert events == []


async def test_whoever_is_told_to_stop_a_second_time_is_given_no_more_time(events):
    class Slow(sv.Server):
        async def terminate(self, reason):
            try:
                await trio.sleep_forever()
            finally:
                events.append(trio.current_time())

    for opened in (sv.open_supervisor([]), sv.open_dynamic_supervisor()):
        began = trio.current_time()
        async with trio.open_nursery() as nursery, opened as sup:
            ref = await sup.start_child(sv.ChildSpec("slow", Slow, shutdown=5.0))
            child = "slow" if isinstance(sup, sv.Supervisor) else ref
            nursery.start_soon(unless_it_has_ended, sup.terminate_child, child)
            await trio.sleep(4)
        assert events.pop() == began + 5


async def unless_it_has_ended(command, child):
    with contextlib.suppress(sv.ProcessExited):
        await command(child)


async def test_brutal_kill_asks_no_question(probe, events):
    async with sv.open_supervisor([probe("a", shutdown="brutal_kill")]):
        pass
    assert events == ["start a"]


async def test_infinity_waits_as_long_as_it_takes(events):
    class Slow(sv.Server):
        async def terminate(self, reason):
            await trio.sleep(1000)
            events.append("finished")

    async with sv.open_supervisor([sv.ChildSpec("slow", Slow, shutdown="infinity")]):
        pass
    assert events == ["finished"]


async def test_a_stop_in_the_middle_of_a_restart_still_stops_everybody_in_order(probe, events):
    async def starts_once(healthy, *, task_status):
        if healthy:
            healthy.clear()
            task_status.started()
        await trio.sleep_forever()

    children = [probe("a"), sv.ChildSpec("b", starts_once, ([True],)), probe("c")]
    async with sv.open_supervisor(children, strategy="one_for_all") as sup:
        sup.child("b").exit(sv.KILL)
        await trio.sleep(1)
        assert [child.status for child in sup.which_children()] == ["running", "starting", "restarting"]
        events.clear()
    assert events == ["stop a: shutdown"]


async def test_a_failure_of_a_sibling_while_it_is_stopped_counts_for_nothing(probe, crash):
    class BadAtStopping(sv.Server):
        async def terminate(self, reason):
            raise boom()

    async with sv.open_supervisor(
        [probe("a"), sv.ChildSpec("b", BadAtStopping)], strategy="one_for_all", max_restarts=1
    ) as sup:
        await crash(sup.child("a"))
        assert sup.count_children().active == 2


# Auto-shutdown


def significant(function, *args, **options):
    return sv.ChildSpec(options.pop("id"), function, args, significant=True, restart="transient", **options)


async def test_the_first_own_end_of_a_significant_child_ends_the_supervisor(probe, events):
    children = [probe("a"), significant(trio.sleep, 1, id="b"), significant(trio.sleep, 2, id="c")]
    async with sv.open_supervisor(children, auto_shutdown="any_significant") as sup:
        assert await sup.wait_exited() == sv.Shutdown()
        events.append("the body goes on")
    assert events == ["start a", "stop a: shutdown", "the body goes on"]


async def test_the_last_own_end_of_the_significant_children_ends_the_supervisor():
    begin = trio.current_time()
    children = [significant(trio.sleep, seconds, id=f"chain {seconds}") for seconds in (3, 1, 2)]
    async with sv.open_supervisor(children, auto_shutdown="all_significant") as sup:
        assert await sup.wait_exited() == sv.Shutdown()
    assert trio.current_time() - begin == 3


async def test_the_end_of_a_child_that_is_not_significant_counts_for_nothing_and_its_life_neither(probe):
    brief = sv.ChildSpec("brief", trio.sleep, (1,), restart="temporary")
    children = [probe("lives on"), brief, significant(trio.sleep, 2, id="chain")]
    for auto_shutdown in ("any_significant", "all_significant"):
        begin = trio.current_time()
        async with sv.open_supervisor(children, auto_shutdown=auto_shutdown) as sup:
            assert await sup.wait_exited() == sv.Shutdown()
        assert trio.current_time() - begin == 2


async def test_a_crash_that_is_healed_is_no_end(probe, crash):
    child = probe("a", significant=True, restart="transient")
    async with sv.open_supervisor([child], auto_shutdown="any_significant") as sup:
        await crash(sup.child("a"))
        assert sup.child("a").is_alive


async def test_any_end_of_a_temporary_significant_child_counts(probe, crash):
    child = probe("a", significant=True, restart="temporary")
    async with sv.open_supervisor([child], auto_shutdown="any_significant") as sup:
        await crash(sup.child("a"))
        assert await sup.wait_exited() == sv.Shutdown()


async def test_stopping_a_significant_child_by_hand_ends_nothing(probe):
    child = probe("a", significant=True, restart="transient")
    async with sv.open_supervisor([child], auto_shutdown="all_significant") as sup:
        await sup.terminate_child("a")
        await wait_all_tasks_blocked()
        assert sup.ref.is_alive


async def test_a_group_whose_significant_children_are_done_is_done_for_its_parent():
    group = sv.supervisor(
        "chains",
        [significant(trio.sleep, 1, id="chain")],
        auto_shutdown="all_significant",
        restart="transient",
    )
    async with sv.open_supervisor([group]) as sup:
        assert await sup.child("chains").wait_exited() == sv.Shutdown()
        await wait_all_tasks_blocked()
        assert sup.which_children()[0].status == "stopped"
