"""Demand goes up the stages, events come down, and nothing is made that nobody asked for."""

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

import supervision as sv
from supervision.testing import run_virtual

from .flow_stages import Doubled, Numbers, Pushed, Sink, flat, stages


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


@pytest.mark.parametrize(("most", "least"), [(10, 10), (10, -1), (0, None), (2.5, None)])
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


async def test_what_a_stage_in_the_middle_makes_while_it_finishes_is_given_to_the_last_event():
    class Letters(Doubled):
        async def handle_events(self, events):
            self.finish()
            return list("abcdefghij")

    seen = []
    async with stages(
        ("numbers", Numbers, (), (), {}),
        ("letters", Letters, ("numbers",), (), {"max_demand": 1}),
        ("sink", Sink, ("letters",), (seen,), {"max_demand": 2}),
        restart="temporary",
    ):
        await wait_all_tasks_blocked()
    assert flat(seen) == list("abcdefghij")


async def test_what_a_stage_in_the_middle_makes_of_a_batch_is_kept_however_much_it_is():
    class Lines(Doubled):
        async def handle_events(self, events):
            return [event for event in events for _ in range(2 * sv.Producer.buffer_size)]

    seen = []
    async with stages(
        ("numbers", Numbers, (), (), {"limit": 3}),
        ("lines", Lines, ("numbers",), (), {}),
        ("sink", Sink, ("lines",), (seen,), {}),
        restart="transient",
    ):
        await wait_all_tasks_blocked()
    assert [flat(seen).count(number) for number in range(3)] == [2 * sv.Producer.buffer_size] * 3


@pytest.mark.parametrize("overflow", [sv.WAIT, sv.RAISE, sv.DROP_NEWEST, sv.DROP_OLDEST])
async def test_a_mailbox_with_a_limit_keeps_nothing_of_a_flow_back(overflow):
    seen = []
    async with stages(
        ("numbers", Numbers, (), (), {"limit": 100}),
        ("doubled", Doubled, ("numbers",), (), {"max_demand": 7}),
        ("sink", Sink, ("doubled",), (seen,), {"max_demand": 4}),
        restart="transient",
        capacity=1,
        overflow=overflow,
    ):
        await wait_all_tasks_blocked()
    assert flat(seen) == [number for number in range(0, 100, 2) for _ in range(2)]


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
