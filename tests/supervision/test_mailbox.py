import pytest
import trio

from supervision.mailbox import Mailbox


async def test_urgent_messages_overtake_the_others_and_each_lane_keeps_its_order():
    box = Mailbox()
    for message in (1, 2):
        box.put(message)
    for message in ("a", "b"):
        box.put_urgent(message)
    assert len(box) == 4
    assert [await box.get() for _ in range(4)] == ["a", "b", 1, 2]


async def test_a_reader_wakes_when_a_message_comes():
    box, got = Mailbox(), []
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def read():
            got.append(await box.get())

        await trio.testing.wait_all_tasks_blocked()
        box.put("late")
    assert got == ["late"]


async def test_every_get_is_one_checkpoint_even_when_messages_wait():
    box = Mailbox()
    box.put(1)
    with trio.testing.assert_checkpoints():
        await box.get()


async def test_a_cancelled_get_takes_nothing():
    box = Mailbox()
    box.put(1)
    with trio.CancelScope() as scope:
        scope.cancel()
        await box.get()
    assert scope.cancelled_caught
    assert len(box) == 1


def test_a_closed_mailbox_drops_what_it_has_and_what_comes():
    box = Mailbox()
    box.put(1)
    box.close()
    box.put(2)
    box.put_urgent(3)
    assert len(box) == 0


@pytest.mark.parametrize("count", [1, 10_000])
def test_putting_never_blocks(count):
    box = Mailbox()
    for message in range(count):
        box.put(message)
    assert len(box) == count
