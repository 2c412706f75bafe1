import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv
from supervision.mailbox import BATCH, Mailbox
from supervision.messages import Call, Cast, Reply


def cast(value):
    return Cast(value, None)


def put_all(box, values):
    for value in values:
        box.put(cast(value))


async def take_all(box):
    return [message.message if isinstance(message, Cast | Call) else message for message in await drain(box)]


async def get(box):
    assert await box.ready()
    return box.take()


async def drain(box):
    return [await get(box) for _ in range(len(box))]


async def test_urgent_messages_overtake_the_others_and_each_lane_keeps_its_order():
    box = Mailbox()
    put_all(box, (1, 2))
    for message in ("a", "b"):
        box.put_urgent(message)
    assert len(box) == 4
    assert await take_all(box) == ["a", "b", 1, 2]


async def test_a_reader_wakes_when_a_message_comes():
    box, got = Mailbox(), []
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def read():
            got.append(await get(box))

        await wait_all_tasks_blocked()
        box.put_signal("late")
    assert got == ["late"]


async def test_a_reader_that_waits_is_nudged_and_one_that_does_not_is_not():
    box, found = Mailbox(), []
    box.nudge()
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def read():
            found.append(await box.ready())
            found.append(await box.ready())

        await wait_all_tasks_blocked()
        assert found == []
        box.nudge()
        await wait_all_tasks_blocked()
        assert found == [False]
        box.put_signal("now")
    assert found == [False, True]


async def test_without_batches_every_wait_is_a_checkpoint():
    box = Mailbox()
    put_all(box, range(4))
    assert await get(box) is not None
    box.end_batches()
    with trio.CancelScope() as scope:
        scope.cancel()
        await box.ready()
    assert scope.cancelled_caught
    assert await get(box) is not None
    with trio.CancelScope() as scope:
        scope.cancel()
        await box.ready()
    assert scope.cancelled_caught


async def test_of_every_batch_one_wait_is_a_checkpoint_even_when_messages_wait():
    box, passes = Mailbox(), []
    put_all(box, range(10 * BATCH))
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def another_task():
            while True:
                passes.append(len(box))
                await trio.lowlevel.checkpoint()

        await drain(box)
        nursery.cancel_scope.cancel()
    # Which of two tasks goes first in a pass is for trio's dice to say.
    assert 9 <= len(passes) <= 11


async def test_a_cancelled_get_takes_nothing():
    box = Mailbox()
    put_all(box, [1])
    with trio.CancelScope() as scope:
        scope.cancel()
        await get(box)
    assert scope.cancelled_caught
    assert len(box) == 1


async def test_a_cancelled_reader_makes_room_for_the_next_one():
    box = Mailbox()
    with trio.move_on_after(1):
        await get(box)
    put_all(box, [1])
    assert await take_all(box) == [1]


def test_a_closed_mailbox_hands_back_what_it_has_and_drops_what_comes():
    box = Mailbox()
    message = cast(1)
    box.put(message)
    box.put_urgent("urgent")
    assert box.close() == [message]
    put_all(box, [2])
    box.put_urgent(3)
    box.put_signal(4)
    assert len(box) == 0


@pytest.mark.parametrize("count", [1, 10_000])
def test_putting_into_an_unbounded_mailbox_never_fails(count):
    box = Mailbox()
    put_all(box, range(count))
    assert len(box) == count


# Bounded


@pytest.mark.parametrize("overflow", [sv.WAIT, sv.RAISE])
def test_one_message_too_many_is_refused_with_an_error(overflow):
    box = Mailbox(2, overflow)
    put_all(box, "ab")
    with pytest.raises(sv.MailboxFull, match="2 messages wait, and capacity=2"):
        put_all(box, "c")
    assert (len(box), box.dropped) == (2, 0)


@pytest.mark.parametrize(("overflow", "left"), [(sv.DROP_NEWEST, "ab"), (sv.DROP_OLDEST, "de")])
async def test_one_message_too_many_is_dropped_and_counted(overflow, left):
    box = Mailbox(2, overflow)
    put_all(box, "abcde")
    assert box.dropped == 3
    assert await take_all(box) == list(left)


@pytest.mark.parametrize(("overflow", "dropped"), [(sv.DROP_NEWEST, 1), (sv.DROP_OLDEST, 0)])
async def test_the_caller_of_a_call_that_is_dropped_is_told(overflow, dropped):
    box, replies = Mailbox(1, overflow), [Reply(), Reply()]
    for reply in replies:
        box.put(Call("hello", reply, None))
    with pytest.raises(sv.MailboxFull):
        await replies[dropped].wait()


@pytest.mark.parametrize("overflow", [sv.WAIT, sv.RAISE, sv.DROP_NEWEST, sv.DROP_OLDEST])
async def test_a_full_mailbox_takes_signals_in_order_and_urgent_messages_first(overflow):
    box = Mailbox(1, overflow)
    box.put_signal("signal 1")
    put_all(box, "a")
    box.put_signal("signal 2")
    box.put_urgent("urgent")
    assert await take_all(box) == ["urgent", "signal 1", "a", "signal 2"]


async def test_room_is_made_among_what_was_sent_and_never_among_signals():
    box = Mailbox(1, sv.DROP_OLDEST)
    box.put_signal("signal")
    put_all(box, "ab")
    assert await take_all(box) == ["signal", "b"]


async def test_senders_wait_for_room_and_get_it_in_the_order_in_which_they_came():
    box = Mailbox(1)
    put_all(box, "a")
    async with trio.open_nursery() as nursery:
        for value in "bcd":
            nursery.start_soon(box.put_when_there_is_room, cast(value))
            await wait_all_tasks_blocked()
        assert len(box) == 1
        got = [(await get(box)).message for _ in range(4)]
    assert got == list("abcd")


async def test_a_sender_that_is_cancelled_while_it_waits_has_sent_nothing():
    box = Mailbox(1)
    put_all(box, "a")
    with trio.move_on_after(1):
        await box.put_when_there_is_room(cast("b"))
    assert await take_all(box) == ["a"]
    await box.put_when_there_is_room(cast("c"))
    assert await take_all(box) == ["c"]


async def test_senders_that_wait_go_on_when_the_mailbox_is_closed():
    box = Mailbox(1)
    put_all(box, "a")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(box.put_when_there_is_room, cast("b"))
        await wait_all_tasks_blocked()
        assert [message.message for message in box.close()] == ["a", "b"]


async def test_what_is_put_back_comes_first_and_counts():
    box = Mailbox(2)
    put_all(box, "ab")
    taken = await drain(box)
    put_all(box, "c")
    box.put_back(taken)
    with pytest.raises(sv.MailboxFull):
        put_all(box, "d")
    assert await take_all(box) == ["a", "b", "c"]


async def test_a_message_that_matches_is_taken_from_the_middle_and_gives_its_room():
    box = Mailbox(3)
    put_all(box, (1, 2, 3))
    assert (await box.get_match(lambda message: message, lambda message: message.message == 2)).message == 2
    put_all(box, [4])
    assert await take_all(box) == [1, 3, 4]


async def test_a_search_goes_on_correctly_when_messages_are_dropped_meanwhile():
    box, got = Mailbox(2, sv.DROP_OLDEST), []
    put_all(box, (1, 2))
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def search():
            got.append(await box.get_match(lambda message: message.message, lambda value: value >= 3))

        await wait_all_tasks_blocked()
        put_all(box, (3, 4))
    assert got == [3]
    assert await take_all(box) == [4]
