import math

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv
from supervision import telemetry


def unread(subscription):
    """Take everything that can be had without waiting."""
    messages = []
    try:
        while True:
            messages.append(subscription.receive_nowait())
    except trio.WouldBlock:
        return messages


async def test_every_subscriber_gets_every_message_from_its_subscription_on():
    topic = sv.Topic()
    await topic.publish("early")
    with topic.subscribe() as first:
        await topic.publish(1)
        with topic.subscribe() as second:
            await topic.publish(2)
            assert unread(first) == [1, 2]
            assert unread(second) == [2]
    assert topic.statistics() == sv.TopicStatistics("topic", 3, 0, ())


async def test_a_subscription_is_read_with_async_for_and_ends_with_the_topic():
    topic = sv.Topic()
    seen = []

    async def read():
        with topic.subscribe() as subscription:
            seen.extend([message async for message in subscription])

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        await topic.publish("a")
        await topic.publish("b")
        topic.close()
    assert seen == ["a", "b"]


async def test_under_wait_the_publisher_waits_for_room_and_nothing_is_lost():
    topic = sv.Topic()
    with topic.subscribe(capacity=2) as slow, topic.subscribe(overflow=sv.LATEST) as other:
        for number in (1, 2):
            await topic.publish(number)
        with pytest.raises(trio.WouldBlock):
            topic.publish_nowait(3)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(topic.publish, 3)
            await wait_all_tasks_blocked()
            assert topic.statistics().publishers_waiting == 1
            assert unread(other) == [2]
            assert await slow.receive() == 1
            await wait_all_tasks_blocked()
        assert unread(slow) == [2, 3]
        assert unread(other) == [3]
        assert slow.statistics() == sv.SubscriptionStatistics(sv.WAIT, 2, 0, 3, 0)


async def test_a_cancelled_publisher_has_published_to_nobody_or_to_all():
    topic = sv.Topic()
    with topic.subscribe(capacity=1) as full, topic.subscribe() as free:
        await topic.publish(1)
        with trio.move_on_after(1) as scope:
            await topic.publish(2)
        assert scope.cancelled_caught
        await full.receive()
        await topic.publish(3)
        assert unread(full) == [3]
        assert unread(free) == [1, 3]


async def test_all_subscribers_see_one_order_even_when_publishers_have_to_wait():
    topic = sv.Topic()
    with topic.subscribe(capacity=1) as slow, topic.subscribe() as fast:
        async with trio.open_nursery() as nursery:
            for number in range(10):
                nursery.start_soon(topic.publish, number)
                await wait_all_tasks_blocked()
            with pytest.raises(trio.WouldBlock):
                topic.publish_nowait("pushed in front")
            assert [await slow.receive() for _ in range(10)] == list(range(10))
        assert unread(fast) == list(range(10))


@pytest.mark.parametrize(
    ("overflow", "kept", "dropped"),
    [(sv.DROP_OLDEST, [3, 4], 3), (sv.DROP_NEWEST, [0, 1], 3), (sv.LATEST, [4], 4)],
)
async def test_a_subscriber_that_may_lose_messages_slows_nobody_and_counts_them(overflow, kept, dropped):
    topic = sv.Topic()
    with topic.subscribe(overflow=overflow, capacity=2) as subscription:
        for number in range(5):
            topic.publish_nowait(number)
        assert subscription.statistics().dropped == dropped
        assert unread(subscription) == kept
        assert topic.statistics().subscriptions == (subscription.statistics(),)


async def test_under_raise_the_subscriber_gets_what_it_had_and_then_the_error():
    topic = sv.Topic("prices")
    subscription = topic.subscribe(overflow=sv.RAISE, capacity=2)
    for number in range(4):
        topic.publish_nowait(number)
    assert [await subscription.receive(), await subscription.receive()] == [0, 1]
    with pytest.raises(sv.Lagged, match="'prices' had 2 messages unread"):
        await subscription.receive()
    assert topic.statistics().subscriptions == ()


async def test_a_drop_is_a_telemetry_event():
    heard = []
    telemetry.attach("ear", ("supervision", "topic"), lambda *event: heard.append(event))
    topic = sv.Topic("prices")
    with topic.subscribe(overflow=sv.LATEST):
        topic.publish_nowait(1)
        topic.publish_nowait(2)
    telemetry.detach("ear")
    [(name, measured, metadata)] = heard
    assert name == ("supervision", "topic", "dropped")
    assert measured == {"dropped": 1}
    assert metadata == {"topic": "prices", "overflow": sv.LATEST, "message": 2}


async def test_leaving_lets_the_waiting_publisher_go_on():
    topic = sv.Topic()
    async with trio.open_nursery() as nursery:
        with topic.subscribe(capacity=1):
            await topic.publish(1)
            nursery.start_soon(topic.publish, 2)
            await wait_all_tasks_blocked()
        await wait_all_tasks_blocked()
        assert topic.statistics().published == 2


async def test_a_subscription_ends_with_the_process_that_made_it():
    topic = sv.Topic()

    class Reader(sv.Server):
        async def init(self):
            self.subscription = topic.subscribe(capacity=1)

    async with sv.open_supervisor([sv.ChildSpec("reader", Reader, restart="temporary")]) as sup:
        await topic.publish(1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(topic.publish, 2)
            await wait_all_tasks_blocked()
            sup.child("reader").exit(sv.KILL)
        assert topic.statistics() == sv.TopicStatistics("topic", 2, 0, ())


async def test_several_readers_share_one_subscription():
    topic, seen = sv.Topic(), []

    async def read(name, subscription):
        seen.extend([(name, message) async for message in subscription])

    async with trio.open_nursery() as nursery:
        subscription = topic.subscribe()
        nursery.start_soon(read, "a", subscription)
        await wait_all_tasks_blocked()
        nursery.start_soon(read, "b", subscription)
        await wait_all_tasks_blocked()
        await topic.publish(1)
        await topic.publish(2)
        topic.close()
    assert sorted(message for _, message in seen) == [1, 2]


async def test_a_reader_whose_subscription_is_closed_is_told():
    topic = sv.Topic()
    subscription = topic.subscribe()

    async def read():
        with pytest.raises(trio.ClosedResourceError, match="this subscription to 'topic' is closed"):
            await subscription.receive()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        subscription.close()
    subscription.close()


async def test_a_closed_topic_takes_neither_messages_nor_subscribers():
    topic = sv.Topic()
    with topic.subscribe(capacity=1):
        await topic.publish(1)
        async with trio.open_nursery() as nursery:

            async def waits():
                with pytest.raises(trio.ClosedResourceError):
                    await topic.publish(2)

            nursery.start_soon(waits)
            await wait_all_tasks_blocked()
            topic.close()
    with pytest.raises(trio.ClosedResourceError, match="'topic' is closed"):
        topic.publish_nowait(3)
    with pytest.raises(trio.ClosedResourceError):
        topic.subscribe()


async def test_a_subscription_of_a_task_that_has_outlived_its_process_is_closed_from_the_beginning():
    topic, is_over = sv.Topic(), trio.Event()

    async def late():
        await is_over.wait()
        with topic.subscribe(capacity=1) as subscription, pytest.raises(trio.ClosedResourceError):
            await subscription.receive()

    async with trio.open_nursery() as nursery:

        async def leaves_a_task():
            nursery.start_soon(late)

        async with sv.open_supervisor([sv.ChildSpec("a", leaves_a_task, restart="temporary")]):
            await wait_all_tasks_blocked()
        is_over.set()
    assert topic.statistics().subscriptions == ()


@pytest.mark.parametrize("capacity", [0, -1, 1.5, True, "many"])
def test_a_capacity_that_is_none_is_refused(capacity):
    with pytest.raises(sv.SpecError, match="capacity must be a whole number, 1 or more"):
        sv.Topic().subscribe(capacity=capacity)


def test_an_overflow_that_does_not_exist_is_refused():
    with pytest.raises(sv.SpecError, match="got 'wait': write"):
        sv.Topic().subscribe(overflow="wait")


async def test_without_limit_nobody_waits():
    topic = sv.Topic()
    with topic.subscribe(capacity=math.inf) as subscription:
        for number in range(1000):
            topic.publish_nowait(number)
        assert len(unread(subscription)) == 1000
