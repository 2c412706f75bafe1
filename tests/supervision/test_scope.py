"""Every way of leaving the block stops the tree in order, and says what happened in one exception."""

# ruff: noqa: PT012 - what raises is leaving the block, so the block is the statement

import logging

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv


class BodyError(Exception):
    pass


async def test_leaving_the_body_stops_the_children_in_reverse(probe, events):
    async with sv.open_supervisor([probe("a"), probe("b")]) as sup:
        pass
    assert events == ["start a", "start b", "stop b: shutdown", "stop a: shutdown"]
    assert await sup.wait_exited() == sv.Shutdown()


async def test_an_exception_in_the_body_is_raised_unwrapped_when_the_children_have_stopped(probe, events):
    error = BodyError()
    with pytest.raises(BodyError) as raised:
        async with sv.open_supervisor([probe("a")]):
            raise error
    assert raised.value is error
    assert events[-1] == "stop a: shutdown"


async def test_an_outer_cancellation_becomes_an_ordered_stop_and_goes_on(events):
    class Careful(sv.Server):
        async def init(self, id):
            self.id = id

        async def terminate(self, reason):
            await trio.sleep(1)
            events.append(f"stop {self.id}: {reason}")

    with trio.move_on_after(1) as scope:
        async with sv.open_supervisor([sv.ChildSpec(id, Careful, (id,)) for id in "ab"]):
            await trio.sleep_forever()
        pytest.fail("the cancellation must go on")
    assert scope.cancelled_caught
    assert events == ["stop b: shutdown", "stop a: shutdown"]


async def test_a_cancellation_while_leaving_does_not_cut_the_stop_short(events):
    class Careful(sv.Server):
        async def terminate(self, reason):
            await trio.sleep(3)
            events.append("cleaned up")

    with trio.move_on_after(1):
        async with sv.open_supervisor([sv.ChildSpec("a", Careful)]):
            pass
    assert events == ["cleaned up"]


async def test_starting_inside_a_cancelled_scope_starts_nothing_that_stays(probe, events):
    with trio.CancelScope() as scope:
        scope.cancel()
        async with sv.open_supervisor([probe("a")]):
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert started_and_stopped_alike(events)


def started_and_stopped_alike(events):
    return sum("start" in event for event in events) == sum("stop" in event for event in events)


async def test_the_body_s_own_exception_wins_over_giving_up_which_is_noted_on_it(probe, crash):
    with pytest.raises(BodyError) as raised:
        async with sv.open_supervisor([probe("a")], max_restarts=0) as sup:
            try:
                await crash(sup.child("a"))
                await trio.sleep_forever()
            finally:
                raise BodyError
    assert (
        "Meanwhile: supervision.errors.GaveUp: the supervisor gave up on child 'a'"
        in raised.value.__notes__[0]
    )


async def test_giving_up_cancels_the_body_but_not_what_is_around(probe):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep, 3)
        with pytest.raises(sv.GaveUp):
            async with sv.open_supervisor([probe("a")], max_restarts=0) as sup:
                sup.child("a").exit(sv.KILL)
                await trio.sleep_forever()
        await trio.sleep(1)
    assert not nursery.cancel_scope.cancel_called


async def test_giving_up_while_the_body_waits_in_a_nursery_is_still_one_exception(probe):
    with pytest.raises(sv.GaveUp):
        async with sv.open_supervisor([probe("a")], max_restarts=0) as sup, trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            sup.child("a").exit(sv.KILL)


async def test_a_supervisor_that_is_killed_ends_the_body_with_an_error(probe, events):
    with pytest.raises(sv.ProcessExited, match="killed"):
        async with sv.open_supervisor([probe("a")]) as sup:
            sup.ref.exit(sv.KILL)
            await trio.sleep_forever()
    assert events == ["start a"]


async def test_a_supervisor_stopped_by_hand_leaves_the_body_alone(probe, events):
    async with sv.open_supervisor([probe("a")]) as sup:
        assert await sup.ref.stop(sv.Shutdown("closing time")) == sv.Shutdown("closing time")
        with pytest.raises(sv.ProcessExited, match="no such process"):
            await sup.terminate_child("a")
    assert events == ["start a", "stop a: shutdown"]


async def test_trees_can_be_opened_inside_actors(probe, events):
    class Host(sv.Server):
        async def handle_call(self, message):
            async with sv.open_supervisor([probe("guest")]) as sup:
                return await sup.child("guest").call(lambda server: server.caller)

    async with sv.open_supervisor([sv.ChildSpec("host", Host)]) as sup:
        assert await sup.child("host").call("open") is sup.which_children()[0].ref
    assert events == ["start guest", "stop guest: shutdown"]


@pytest.mark.parametrize("attempt", range(20))
async def test_a_body_that_is_cancelled_while_a_child_crashes_always_ends_in_order(probe, events, attempt):
    with trio.CancelScope() as scope:
        async with sv.open_supervisor([probe("a"), probe("b")], strategy="one_for_all") as sup:
            sup.child("a").cast(lambda _: 1 / 0)
            for _ in range(attempt):
                await trio.lowlevel.checkpoint()
            scope.cancel()
            await trio.sleep_forever()
    await wait_all_tasks_blocked()
    assert started_and_stopped_alike(events)
    assert not sup.ref.is_alive


async def test_a_group_that_the_body_raises_passes_as_it_is():
    group = ExceptionGroup("mine", [BodyError(), ValueError()])
    with pytest.raises(ExceptionGroup) as raised:
        async with sv.open_supervisor([]):
            raise group
    assert raised.value is group


async def test_of_a_group_that_mixes_an_error_with_a_foreign_cancellation_the_error_arrives(probe, events):
    async def clumsy():
        try:
            await trio.sleep_forever()
        finally:
            raise BodyError

    with pytest.raises(ExceptionGroup) as raised, trio.move_on_after(1) as scope:
        async with sv.open_supervisor([probe("a")]), trio.open_nursery() as nursery:
            nursery.start_soon(clumsy)
            nursery.start_soon(trio.sleep_forever)
    assert [type(error) for error in raised.value.exceptions] == [BodyError]
    assert scope.cancel_called
    assert events[-1] == "stop a: shutdown"


async def test_giving_up_is_noted_on_the_error_that_a_group_has_left():
    async def clumsy():
        try:
            await trio.sleep_forever()
        finally:
            raise BodyError

    with pytest.raises(ExceptionGroup) as raised:
        async with sv.open_supervisor([], max_restarts=0) as sup, trio.open_nursery() as nursery:
            nursery.start_soon(clumsy)
            nursery.start_soon(trio.sleep_forever)
            await wait_all_tasks_blocked()
            await sup.start_child(sv.ChildSpec("brief", trio.sleep, (0,)))
    assert [type(error) for error in raised.value.exceptions] == [BodyError]
    assert (
        "Meanwhile: supervision.errors.GaveUp: the supervisor gave up on child 'brief'"
        in raised.value.__notes__[0]
    )


async def test_an_error_that_cannot_show_itself_is_a_crash_like_others(probe, monkeypatch):
    class Shapeless(Exception):
        def __repr__(self):
            raise RuntimeError("no shape")

        __str__ = __repr__

    def boom(_server):
        raise Shapeless

    # Where a test reads the log, an error that cannot be formatted is raised to it.
    monkeypatch.setattr(logging.getLogger("supervision"), "disabled", True)
    with pytest.raises(sv.GaveUp):
        async with sv.open_supervisor([probe("a"), probe("b")], max_restarts=2) as sup:
            await sup.child("b").call(lambda server: server.link(sup.child("a")))
            sup.child("a").cast(boom)
            await wait_all_tasks_blocked()
            assert sup.count_children().active == 2
            sup.child("a").cast(boom)
            await trio.sleep_forever()


async def hang(_server):
    await trio.sleep_forever()


async def test_a_cancellation_of_the_caller_s_scope_is_not_the_server_s(probe):
    async with sv.open_supervisor([probe("a"), probe("b")]) as sup:
        a, b = sup.child("a"), sup.child("b")

        async def ask_in_vain(_server):
            with trio.move_on_after(1) as scope:
                await b.call(hang)
            return scope.cancelled_caught

        assert await a.call(ask_in_vain)
        assert sup.statistics().restarts == 0
        b.exit(sv.KILL)


async def test_a_supervisor_inside_a_cancelled_scope_of_a_server_s_handler_is_stopped_in_order(probe, events):
    class Host(sv.Server):
        async def handle_call(self, message):
            with trio.move_on_after(1) as scope:
                async with sv.open_supervisor([probe("a"), probe("b")]):
                    await trio.sleep_forever()
            return scope.cancelled_caught

    async with sv.open_supervisor([sv.ChildSpec("host", Host)]) as sup:
        assert await sup.child("host").call("go")
    assert events[2:] == ["stop b: shutdown", "stop a: shutdown"]


async def test_two_trees_side_by_side_in_one_nursery_do_not_disturb_each_other(probe, events):
    async def tree(id, seconds):
        async with sv.open_supervisor([probe(id)]):
            await trio.sleep(seconds)
            if id == "a":
                raise BodyError

    with pytest.raises(ExceptionGroup) as raised:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tree, "a", 1)
            nursery.start_soon(tree, "b", 5)
    assert raised.group_contains(BodyError)
    assert sorted(events) == ["start a", "start b", "stop a: shutdown", "stop b: shutdown"]
