"""What a limit of a child's mailbox means for those who send to it."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv


class Slow(sv.Server):
    """Handles one message a second."""

    async def init(self, got):
        self.got = got

    async def handle_call(self, message):
        await self.handle_cast(message)
        return message

    async def handle_cast(self, message):
        await trio.sleep(1)
        self.got.append(message)


def slow(got, **options):
    return sv.ChildSpec("slow", Slow, (got,), capacity=1, **options)


async def test_send_keeps_pace_with_a_slow_server_and_cast_says_that_there_is_no_room(events):
    async with sv.open_supervisor([slow(events)]) as sup:
        ref = sup.child("slow")
        for message in "abcd":
            await ref.send(message)
        assert trio.current_time() == 2
        with pytest.raises(sv.MailboxFull):
            ref.cast("e")
        assert ref.statistics().capacity == 1
        await trio.sleep(5)
    assert events == list("abcd")


async def test_a_call_waits_for_room_too(events):
    async with sv.open_supervisor([slow(events)]) as sup, trio.open_nursery() as nursery:
        for message in "abc":
            nursery.start_soon(sup.child("slow").call, message)
            await wait_all_tasks_blocked()
    assert events == list("abc")


async def test_what_was_dropped_is_counted_and_send_does_not_wait_then(events):
    async with sv.open_supervisor([slow(events, overflow=sv.DROP_OLDEST)]) as sup:
        await sup.child("slow").send("a")
        await wait_all_tasks_blocked()
        for message in "bcd":
            await sup.child("slow").send(message)
        assert sup.child("slow").statistics().dropped == 2
        await trio.sleep(5)
    assert events == ["a", "d"]


async def test_a_full_mailbox_blocks_neither_looking_in_nor_stopping(events):
    async with sv.open_supervisor([slow(events)]) as sup:
        ref = sup.child("slow")
        ref.cast("a")
        await wait_all_tasks_blocked()
        ref.cast("b")
        assert (await ref.get_state())["got"] == ["a"]
        ref.cast("c")
        await ref.stop(sv.Shutdown())
    assert events == ["a", "b"]


async def test_calls_and_senders_that_wait_for_room_are_told_of_the_end(events):
    async with sv.open_supervisor([slow(events, restart="temporary")]) as sup:
        ref = sup.child("slow").resolve().ref
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def ask():
                with pytest.raises(sv.ProcessExited, match="killed"):
                    await ref.call("x")

            ref.cast("a")
            await wait_all_tasks_blocked()
            nursery.start_soon(ref.send, "y")
            nursery.start_soon(ref.send, "z")
            await wait_all_tasks_blocked()
            ref.exit(sv.KILL)


async def test_a_server_that_would_wait_for_room_in_its_own_mailbox_is_told_so():
    class Greedy(sv.Server):
        async def handle_call(self, message):
            for _ in range(2):
                await self.ref.send("more")

        async def handle_cast(self, message):
            pass

    async with sv.open_supervisor([sv.ChildSpec("greedy", Greedy, capacity=1)]) as sup:
        with pytest.raises(sv.ProcessExited, match="room in its own full mailbox"):
            await sup.child("greedy").call("go")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"capacity": 0}, "capacity of child 'a' must be a whole number, 1 or more"),
        ({"capacity": True}, "capacity of child 'a'"),
        ({"overflow": sv.LATEST}, "must be WAIT, RAISE, DROP_NEWEST or DROP_OLDEST"),
        ({"overflow": "wait"}, "must be WAIT, RAISE, DROP_NEWEST or DROP_OLDEST"),
    ],
)
def test_a_mailbox_that_cannot_work_is_refused_when_the_child_is_described(options, sentence):
    with pytest.raises(sv.SpecError, match=sentence):
        sv.ChildSpec("a", Slow, **options)
