"""Continuations, timers, idle time-outs and stashes."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv

# Continuations


async def test_a_continuation_runs_after_its_handler_and_before_any_message(log, events):
    async with sv.open_supervisor([log]) as sup:
        ref = sup.child("log")
        ref.cast(lambda server: (server.continue_with(1), server.continue_with(2)))
        ref.cast("message")
        await wait_all_tasks_blocked()
    assert events == ["continue 1", "continue 2", "message"]


async def test_a_continuation_may_ask_for_the_next_one():
    class Countdown(sv.Server):
        async def init(self):
            self.seen = []
            return sv.Continue(3)

        async def handle_continue(self, value):
            self.seen.append(value)
            if value:
                self.continue_with(value - 1)

        async def handle_call(self, message):
            return self.seen

    async with sv.open_supervisor([sv.ChildSpec("countdown", Countdown)]) as sup:
        assert await sup.child("countdown").call("seen") == [3, 2, 1, 0]


async def test_a_reply_comes_before_the_continuation_of_its_call(log, events):
    async with sv.open_supervisor([log]) as sup:
        await sup.child("log").call(lambda server: server.continue_with("later"))
        events.append("reply")
        await wait_all_tasks_blocked()
    assert sorted(events) == ["call", "continue later", "reply"]


async def test_no_continuation_runs_after_a_stop(log, events):
    async with sv.open_supervisor([log]) as sup:
        sup.child("log").cast(lambda server: (server.continue_with("never"), server.stop(sv.Shutdown())))
        await wait_all_tasks_blocked()
    assert events == []


# Timers and idle time-outs


async def test_a_timer_brings_its_message_when_it_is_due(log, events):
    async with sv.open_supervisor([log]) as sup:
        for seconds in (3, 1, 2):
            await sup.child("log").call(lambda server, seconds=seconds: server.send_after(seconds, "ring"))
        events.clear()
        await trio.sleep(5)
    assert events == [(1, "ring"), (2, "ring"), (3, "ring")]


async def test_a_cancelled_timer_says_how_much_was_left_and_never_rings(log, events):
    async with sv.open_supervisor([log]) as sup:
        timer = await sup.child("log").call(lambda server: server.send_after(3, "ring"))
        await trio.sleep(1)
        assert await sup.child("log").call(lambda server: server.cancel_timer(timer)) == 2
        assert await sup.child("log").call(lambda server: server.cancel_timer(timer)) is None
        rung = await sup.child("log").call(lambda server: server.send_after(1, "ring"))
        await trio.sleep(5)
        assert await sup.child("log").call(lambda server: server.cancel_timer(rung)) is None
    assert [event for event in events if event != "call"] == [(2, "ring")]


async def test_timers_end_with_their_server(log, events):
    async with sv.open_supervisor([log]) as sup:
        await sup.child("log").call(lambda server: server.send_after(3, "ring"))
        sup.child("log").exit(sv.KILL)
        await trio.sleep(5)
    assert events == ["call"]


async def test_an_idle_server_is_told_so_each_time_anew_and_any_message_begins_the_wait_again(log, events):
    def be_impatient(server):
        server.idle_timeout = 2

    async with sv.open_supervisor([log]) as sup:
        sup.child("log").cast(be_impatient)
        await trio.sleep(1)
        sup.child("log").cast("message")
        await trio.sleep(5.5)
    assert events == ["message", (3, sv.IdleTimeout()), (5, sv.IdleTimeout())]


async def test_what_has_come_is_handled_before_the_next_time_out_however_short(events):
    class Hasty(sv.Server):
        idle_timeout = 0

        async def handle_call(self, message):
            return message

    async with sv.open_supervisor([sv.ChildSpec("hasty", Hasty)]) as sup:
        for number in range(50):
            assert await sup.child("hasty").call(number) == number


# Stashing


class Door(sv.Server):
    """Opens once; whoever knocks before that waits."""

    async def init(self, events, capacity=None):
        self.events, self.is_open = events, False

    async def handle_call(self, message):
        if not self.is_open:
            self.stash()
            return sv.NO_REPLY
        self.events.append(message)
        return f"come in, {message}"

    async def handle_cast(self, message):
        if message == "open":
            self.is_open = True
            self.unstash_all()
        elif self.is_open:
            self.events.append(message)
        else:
            self.stash()

    async def handle_info(self, message):
        if self.is_open:
            self.events.append(type(message).__name__)
        else:
            self.stash()


async def test_what_was_put_aside_is_handled_first_and_in_order_when_it_is_asked_for(events, probe):
    async with sv.open_supervisor([sv.ChildSpec("door", Door, (events,)), probe("z")]) as sup:
        door = sup.child("door")
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def knock():
                assert await door.call("ada") == "come in, ada"

            await wait_all_tasks_blocked()
            for message in ("bob", "open", "late"):
                door.cast(message)
    assert events[1:] == ["ada", "bob", "late", "stop z: shutdown"]


async def test_a_caller_whose_call_was_put_aside_is_told_when_the_server_ends(events):
    door = sv.ChildSpec("door", Door, (events,))
    async with sv.open_supervisor([door]) as sup, trio.open_nursery() as nursery:

        @nursery.start_soon
        async def knock():
            with pytest.raises(sv.ProcessExited, match="killed"):
                await sup.child("door").call("ada")

        await wait_all_tasks_blocked()
        sup.child("door").exit(sv.KILL)


async def test_a_message_is_put_aside_once_and_only_while_it_is_handled(log):
    def twice(server):
        server.stash()
        server.stash()

    async with sv.open_supervisor([log]) as sup:
        with pytest.raises(sv.ProcessExited, match="once; there is none"):
            await sup.child("log").call(twice)
