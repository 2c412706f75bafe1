"""Several consumers of one producer, and what the end of one stage means for the others."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv

from .flow_stages import Numbers, Pushed, Sink, flat, stages


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


async def test_a_consumer_that_subscribes_again_until_its_producer_is_back_waits_between_two_attempts():
    class Loyal(Sink):
        async def handle_cancel(self, producer, reason):
            await super().handle_cancel(producer, reason)
            self.subscribe(producer, cancel="temporary")

    names, seen = sv.Registry(), []
    children = [
        sv.ChildSpec("pushed", Pushed, name=names.via("pushed")),
        sv.ChildSpec("sink", Loyal, (names.via("pushed"), seen), {"cancel": "temporary"}),
    ]
    async with sv.open_supervisor(children, backoff=sv.Backoff(2, 2)):
        await wait_all_tasks_blocked()
        names.via("pushed").exit(sv.KILL)
        await trio.sleep(2.5)
        assert seen[0] == "lost it: killed"
        assert set(seen[1:]) == {"lost it: no such process"}
        assert 10 <= len(seen) <= 21
        names.via("pushed").cast([1, 2])
        await wait_all_tasks_blocked()
        assert flat(seen) == [1, 2]


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
