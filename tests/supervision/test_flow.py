import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

import supervision as sv
from supervision.testing import run_virtual


class Numbers(sv.Producer):
    """Counts from 0, as far as it is asked to; ``limit`` numbers in all, where that is given."""

    async def init(self, asked=None, limit=None, may_begin=None):
        self.next, self.asked, self.limit = 0, asked if asked is not None else [], limit
        if may_begin is None:
            may_begin = trio.Event()
            may_begin.set()
        self.may_begin = may_begin

    async def handle_demand(self, count):
        await self.may_begin.wait()
        self.asked.append(count)
        if self.limit is not None and self.next + count >= self.limit:
            count = self.limit - self.next
            self.finish()
        self.next += count
        return range(self.next - count, self.next)

    async def handle_call(self, message):
        return self.flow_statistics()


class Sink(sv.Consumer):
    """Notes what it gets; waits for a permit per batch, where there are permits."""

    async def init(self, producer, seen, permits=None, **options):
        self.seen, self.permits = seen, permits
        self.subscribe(producer, **options)

    async def handle_events(self, events):
        if self.permits is not None:
            await self.permits.acquire()
        self.seen.append(list(events))

    async def handle_cancel(self, producer, reason):
        self.seen.append(f"lost it: {reason}")

    async def terminate(self, reason):
        self.seen.append(f"end: {reason}")


class Doubled(sv.ProducerConsumer):
    """Emits each number twice, and no odd ones."""

    async def init(self, producer, **options):
        self.subscribe(producer, **options)

    async def handle_events(self, events):
        return [event for event in events if event % 2 == 0 for _ in range(2)]

    async def handle_call(self, message):
        return self.flow_statistics()


def stages(*children, **options):
    """Run children under names of their own: each is given as (id, class, names of producers, kwargs)."""
    names = sv.Registry()
    specs = [
        sv.ChildSpec(id, stage, tuple(map(names.via, sources)) + args, kwargs, name=names.via(id), **options)
        for id, stage, sources, args, kwargs in children
    ]
    return sv.open_supervisor(specs, strategy="rest_for_one")


def flat(seen):
    return [event for batch in seen if isinstance(batch, list) for event in batch]


async def test_a_producer_is_asked_for_what_the_consumer_asked_for_and_no_more():
    asked, seen, permits = [], [], trio.Semaphore(0)
    async with stages(
        ("numbers", Numbers, (), (), {"asked": asked}),
        ("sink", Sink, ("numbers",), (seen, permits), {"max_demand": 10, "min_demand": 6}),
        restart="temporary",
    ) as sup:
        await wait_all_tasks_blocked()
        assert asked == [10]
        permits.release()
        await wait_all_tasks_blocked()
        assert asked == [10, 4]
        assert seen == [[0, 1, 2, 3]]
        # A consumer that never comes back is never given more than it asked for.
        assert (await sup.child("numbers").call("statistics")).given == 14


async def test_batches_are_as_long_as_the_difference_of_the_demands_at_most():
    seen = []
    async with stages(
        ("numbers", Numbers, (), (), {"limit": 25}),
        ("sink", Sink, ("numbers",), (seen,), {"max_demand": 10, "min_demand": 3}),
        restart="transient",
    ):
        await wait_all_tasks_blocked()
        assert seen[-1] == "end: normal end"
    assert flat(seen) == list(range(25))
    assert max(map(len, seen[:-1])) == 7


async def test_a_finished_producer_has_given_everything_and_its_consumer_has_handled_everything():
    seen, permits = [], trio.Semaphore(0)
    async with stages(
        ("numbers", Numbers, (), (), {"limit": 6}),
        ("sink", Sink, ("numbers",), (seen, permits), {"max_demand": 100, "min_demand": 98}),
        restart="transient",
    ) as sup:
        await wait_all_tasks_blocked()
        assert not sup.child("numbers").is_alive
        for _ in range(3):
            permits.release()
        await wait_all_tasks_blocked()
    assert seen == [[0, 1], [2, 3], [4, 5], "end: normal end"]


async def test_a_chain_of_stages_is_driven_from_its_end():
    asked, seen, permits = [], [], trio.Semaphore(0)
    async with stages(
        ("numbers", Numbers, (), (), {"asked": asked}),
        ("doubled", Doubled, ("numbers",), (), {"max_demand": 4, "min_demand": 2}),
        ("sink", Sink, ("doubled",), (seen, permits), {"max_demand": 3, "min_demand": 0}),
        restart="temporary",
    ) as sup:
        await wait_all_tasks_blocked()
        before = sum(asked)
        assert (await sup.child("doubled").call("statistics")).given == 3
        await trio.sleep(100)
        assert sum(asked) == before <= 12
        for _ in range(20):
            permits.release()
        await wait_all_tasks_blocked()
    assert len(flat(seen)) >= 20
    assert flat(seen) == [2 * (place // 2) for place in range(len(flat(seen)))]


async def test_a_chain_of_stages_ends_from_its_beginning_with_nothing_lost():
    seen = []
    async with stages(
        ("numbers", Numbers, (), (), {"limit": 10}),
        ("doubled", Doubled, ("numbers",), (), {"max_demand": 4}),
        ("sink", Sink, ("doubled",), (seen,), {"max_demand": 2}),
        restart="transient",
    ):
        await wait_all_tasks_blocked()
        assert seen[-1] == "end: normal end"
    assert flat(seen) == [0, 0, 2, 2, 4, 4, 6, 6, 8, 8]


class Pushed(sv.Producer):
    """Emits what it is cast, whether anybody has asked or not."""

    buffer_size = 3

    async def init(self, keep="last"):
        self.buffer_keep = keep

    async def handle_demand(self, count):
        return ()

    async def handle_cast(self, message):
        if isinstance(message, list):
            self.emit(message)
        else:
            await super().handle_cast(message)

    async def handle_call(self, message):
        return self.flow_statistics(), self.pending_demand


@pytest.mark.parametrize(("keep", "kept"), [("last", [3, 4, 5]), ("first", [1, 2, 3])])
async def test_what_nobody_asked_for_waits_in_a_buffer_of_limited_size(keep, kept):
    seen, heard = [], []
    sv.telemetry.attach("ear", ("supervision", "flow"), lambda *event: heard.append(event))
    async with stages(("pushed", Pushed, (), (keep,), {}), restart="temporary") as sup:
        sup.child("pushed").cast([1, 2, 3, 4, 5])
        statistics, _ = await sup.child("pushed").call("statistics")
        assert statistics == sv.FlowStatistics(consumers=0, demand=0, buffered=3, given=0, dropped=2)
        await sup.start_child(
            sv.ChildSpec("sink", Sink, (sup.child("pushed"), seen), {"max_demand": 5, "min_demand": 0})
        )
        await wait_all_tasks_blocked()
        assert seen == [kept]
        assert (await sup.child("pushed").call("statistics"))[1] == 2
        sup.child("pushed").cast([6])
        await wait_all_tasks_blocked()
    sv.telemetry.detach("ear")
    assert flat(seen) == [*kept, 6]
    assert heard == [(("supervision", "flow", "dropped"), {"dropped": 2}, {"stage": "pushed"})]


async def test_a_consumer_that_ends_leaves_its_demand_to_nobody():
    asked, seen, permits = [], [], trio.Semaphore(0)
    async with stages(
        ("numbers", Numbers, (), (), {"asked": asked}),
        ("stuck", Sink, ("numbers",), ([], permits), {"max_demand": 10}),
        ("sink", Sink, ("numbers",), (seen, permits), {"max_demand": 10}),
        restart="temporary",
    ) as sup:
        await wait_all_tasks_blocked()
        await sup.terminate_child("stuck")
        statistics = await sup.child("numbers").call("statistics")
        assert (statistics.consumers, statistics.demand) == (1, 0)


class Broadcast(Pushed):
    buffer_size = 10

    def dispatcher(self):
        return sv.BroadcastDispatcher()


async def test_a_broadcast_reaches_all_at_the_pace_of_the_slowest():
    slow, fast, permits = [], [], trio.Semaphore(0)
    async with stages(
        ("pushed", Broadcast, (), (), {}),
        ("slow", Sink, ("pushed",), (slow, permits), {"max_demand": 2, "min_demand": 0}),
        ("fast", Sink, ("pushed",), (fast,), {"max_demand": 2, "min_demand": 0}),
        restart="temporary",
    ) as sup:
        await wait_all_tasks_blocked()
        sup.child("pushed").cast([0, 1, 2, 3, 4, 5])
        await wait_all_tasks_blocked()
        assert (slow, fast) == ([], [[0, 1]])
        permits.release()
        await wait_all_tasks_blocked()
        assert (slow, fast) == ([[0, 1]], [[0, 1], [2, 3]])
        await sup.terminate_child("slow")
        await wait_all_tasks_blocked()
        assert fast == [[0, 1], [2, 3], [4, 5]]


class ByParity(Numbers):
    def dispatcher(self):
        return sv.PartitionDispatcher(("even", "odd"), lambda number: ("even", "odd")[number % 2])


async def test_partitions_get_what_is_theirs():
    even, odd = [], []
    async with stages(
        ("numbers", ByParity, (), (), {"limit": 20}),
        ("even", Sink, ("numbers",), (even,), {"max_demand": 4, "partition": "even"}),
        ("odd", Sink, ("numbers",), (odd,), {"max_demand": 3, "partition": "odd"}),
        restart="transient",
    ):
        await wait_all_tasks_blocked()
        assert even[-1] == odd[-1] == "end: normal end"
    assert (flat(even), flat(odd)) == (list(range(0, 20, 2)), list(range(1, 20, 2)))


async def test_a_partition_that_is_taken_is_refused_and_the_producer_lives_on():
    async with stages(
        ("numbers", ByParity, (), (), {}),
        ("one", Sink, ("numbers",), ([], trio.Semaphore(0)), {"partition": "even"}),
        ("two", Sink, ("numbers",), (two := [],), {"partition": "even"}),
        restart="temporary",
    ) as sup:
        await wait_all_tasks_blocked()
        assert "Partition 'even' has a consumer already" in two[0]
        assert sup.child("numbers").is_alive
        assert sup.child("one").is_alive


@pytest.mark.parametrize(
    ("cancel", "order", "end"),
    [
        ("permanent", sv.Shutdown(), sv.Shutdown()),
        ("permanent", sv.KILL, sv.Killed()),
        ("transient", sv.KILL, sv.Killed()),
        ("transient", sv.Shutdown(), None),
        ("temporary", sv.KILL, None),
    ],
)
async def test_a_consumer_ends_with_its_producer_as_it_said(cancel, order, end):
    seen = []
    async with stages(
        ("pushed", Pushed, (), (), {}),
        ("sink", Sink, ("pushed",), (seen,), {"cancel": cancel}),
        restart="temporary",
    ) as sup:
        sink = sup.child("sink").resolve().ref
        await wait_all_tasks_blocked()
        sup.child("pushed").exit(order)
        await wait_all_tasks_blocked()
        assert sink.is_alive is (end is None)
        lost = sv.Killed() if order == sv.KILL else order
        assert seen == [f"lost it: {lost}" if end is None else f"end: {end}"]


async def test_a_pipeline_under_rest_for_one_heals_as_a_whole():
    seen = []
    async with stages(
        ("pushed", Pushed, (), (), {}), ("sink", Sink, ("pushed",), (seen,), {}), restart="permanent"
    ) as sup:
        sup.child("pushed").exit(sv.KILL)
        await wait_all_tasks_blocked()
        sup.child("pushed").cast([1, 2])
        await wait_all_tasks_blocked()
        assert flat(seen) == [1, 2]
        assert sup.statistics().restarts == 2


@pytest.mark.parametrize(("most", "least"), [(10, 10), (10, -1), (0, None)])
async def test_demands_that_contradict_each_other_are_refused(most, least):
    with pytest.raises(sv.StartFailed) as raised:
        async with stages(
            ("numbers", Numbers, (), (), {}),
            ("sink", Sink, ("numbers",), ([],), {"max_demand": most, "min_demand": least}),
        ):
            pass
    assert "0 <= min_demand < max_demand" in str(raised.value.__cause__)


async def test_a_stage_without_its_handler_says_which_one_is_missing(caplog):
    class Bare(sv.Producer):
        pass

    async with stages(
        ("bare", Bare, (), (), {}), ("sink", Sink, ("bare",), ([],), {}), restart="temporary"
    ) as sup:
        await wait_all_tasks_blocked()
        assert not sup.child("bare").is_alive
    assert "Bare defines no handle_demand(self, count)" in caplog.text


@settings(max_examples=60, deadline=None)
@given(
    limit=st.integers(0, 60),
    demands=st.lists(
        st.integers(1, 20).flatmap(lambda most: st.tuples(st.just(most), st.integers(0, most - 1))),
        min_size=2,
        max_size=4,
    ),
)
def test_whatever_the_demands_everything_arrives_once_and_in_order(limit, demands):
    asked, seen, may_begin = [], [], trio.Event()
    *middle, (most, least) = demands
    numbers = {"asked": asked, "limit": limit, "may_begin": may_begin}
    children = [("stage 0", Numbers, (), (), numbers)]
    for place, (most_here, least_here) in enumerate(middle):
        options = {"max_demand": most_here, "min_demand": least_here}
        children.append((f"stage {place + 1}", Passed, (f"stage {place}",), (), options))
    sink = ("sink", Sink, (children[-1][0],), (seen,), {"max_demand": most, "min_demand": least})

    async def main():
        async with stages(*children, sink, restart="transient"):
            # One that has finished already cannot be subscribed to.
            may_begin.set()
            await wait_all_tasks_blocked()
            assert seen[-1] == "end: normal end"

    run_virtual(main)
    assert flat(seen) == list(range(limit))
    # Never more asked for than can have been handled or is on the way.
    assert sum(asked) <= limit + sum(most for most, _ in demands)


class Passed(Doubled):
    """Emits what it gets."""

    async def handle_events(self, events):
        return events
