"""Messages that are due later come in the order in which they are due."""

import gc
import operator
import weakref

import trio

import supervision as sv
from supervision.timer import Timer, Timers


class Listing(sv.Server):
    """Lists what comes to it; does what it is sent."""

    async def init(self):
        self.seen = []

    async def handle_call(self, function):
        return function(self)

    async def handle_info(self, message):
        self.seen.append(message)


def set_some(server):
    for message, seconds in (("c", 3), ("a", 1), ("d", 3), ("b", 2)):
        server.send_after(seconds, message)
    assert server.cancel_timer(server.send_after(1.5, "never")) == 1.5


def seen(server):
    return server.seen


async def test_messages_come_in_the_order_in_which_they_are_due_also_when_the_loop_is_late():
    for _ in range(20):  # trio runs tasks that wake together in any order
        async with sv.open_supervisor([sv.ChildSpec("a", Listing)]) as sup:
            await sup.child("a").call(set_some)
            trio.lowlevel.current_clock().jump(5)
            await trio.sleep(1)
            assert await sup.child("a").call(seen) == ["a", "b", "c", "d"]


async def test_a_timer_that_has_rung_has_no_time_left():
    async with sv.open_supervisor([sv.ChildSpec("a", Listing)]) as sup:
        timer = await sup.child("a").call(lambda server: server.send_after(1, "a"))
        trio.lowlevel.current_clock().jump(5)
        await trio.sleep(1)
        assert await sup.child("a").call(lambda server: server.cancel_timer(timer)) is None


async def test_a_process_that_has_ended_keeps_no_message_of_its_timers():
    class Big:
        pass

    big = Big()
    kept = weakref.ref(big)
    async with sv.open_supervisor([sv.ChildSpec("a", Listing, restart="temporary")]) as sup:
        ref = sup.child("a")
        timer = await ref.call(operator.methodcaller("send_after", 3600, big))
        await ref.stop()
        assert not timer.is_pending
        del big
        gc.collect()
        assert kept() is None


async def test_timers_that_are_cancelled_are_not_kept():
    def set_and_cancel(server):
        server.send_after(1, "kept")
        for _ in range(1000):
            server.cancel_timer(server.send_after(3600, "never"))
        return len(server._loop.process.timers._heap)

    async with sv.open_supervisor([sv.ChildSpec("a", Listing)]) as sup:
        assert await sup.child("a").call(set_and_cancel) < 5
        await trio.sleep(2)
        assert await sup.child("a").call(seen) == ["kept"]


def test_those_that_are_due_are_taken_once_and_the_first_one_first():
    timers = Timers()
    made = [Timer(deadline) for deadline in (3.0, 1.0, *[3.0] * 20)]
    for timer in reversed(made):
        timer._scope = trio.CancelScope()
        timers.add(timer)
    assert timers.take_due(0.5) == []
    assert timers.take_due(3.0) == [made[1], made[0], *made[2:]]
    assert timers.take_due(3.0) == []
