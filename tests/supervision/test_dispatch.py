import pytest
from hypothesis import given
from hypothesis import strategies as st

import supervision as sv
from supervision.dispatch import BroadcastDispatcher, DemandDispatcher, PartitionDispatcher


def test_demand_goes_to_the_hungriest_first():
    dispatcher = DemandDispatcher()
    for consumer, count in {"a": 2, "b": 5, "c": 0}.items():
        dispatcher.subscribe(consumer)
        dispatcher.ask(consumer, count)
    assert dispatcher.demand == 7
    assert dispatcher.share([1, 2, 3, 4, 5, 6]) == [("b", [1, 2, 3, 4, 5]), ("a", [6])]
    assert dispatcher.demand == 1


def test_broadcast_goes_at_the_pace_of_the_slowest():
    dispatcher = BroadcastDispatcher()
    assert dispatcher.demand == 0
    for consumer, count in {"a": 2, "b": 5}.items():
        dispatcher.subscribe(consumer)
        dispatcher.ask(consumer, count)
    assert dispatcher.demand == 2
    assert dispatcher.share([1, 2]) == [("a", [1, 2]), ("b", [1, 2])]
    assert dispatcher.demand == 0
    dispatcher.cancel("a")
    assert dispatcher.demand == 3


def test_a_partition_that_does_not_ask_holds_up_the_others_in_the_end():
    dispatcher = PartitionDispatcher((0, 1), lambda event: event % 2)
    dispatcher.subscribe("even", 0)
    dispatcher.subscribe("odd", 1)
    dispatcher.ask("even", 3)
    assert dispatcher.share([1, 2, 3]) == [("even", [2])]
    assert (dispatcher.demand, dispatcher.parked) == (0, 2)
    dispatcher.ask("odd", 1)
    assert dispatcher.share([]) == [("odd", [1])]
    assert (dispatcher.demand, dispatcher.parked) == (1, 1)


def test_what_is_parked_waits_for_the_next_consumer_of_its_partition():
    dispatcher = PartitionDispatcher("xy", lambda event: event)
    dispatcher.subscribe("first", "x")
    dispatcher.subscribe("other", "y")
    dispatcher.ask("other", 1)
    dispatcher.share(["x"])
    dispatcher.cancel("first")
    dispatcher.subscribe("second", "x")
    dispatcher.ask("second", 1)
    assert dispatcher.share([]) == [("second", ["x"])]


def test_partitions_are_refused_where_they_make_no_sense():
    dispatcher = PartitionDispatcher("xy", str)
    dispatcher.subscribe("first", "x")
    with pytest.raises(sv.SpecError, match="Partition 'x' has a consumer already"):
        dispatcher.subscribe("second", "x")
    with pytest.raises(sv.SpecError, match="no partition 'z'; the partitions are 'x', 'y'"):
        dispatcher.subscribe("third", "z")
    with pytest.raises(sv.SpecError, match="DemandDispatcher has no partitions"):
        DemandDispatcher().subscribe("a", "x")


def test_one_that_has_left_can_ask_for_nothing():
    dispatcher = DemandDispatcher()
    dispatcher.subscribe("a")
    dispatcher.ask("a", 3)
    dispatcher.cancel("a")
    dispatcher.ask("a", 3)
    assert dispatcher.demand == 0


@given(
    kind=st.sampled_from(["demand", "broadcast", "partition"]),
    steps=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.integers(0, 5)), max_size=30),
)
def test_nobody_is_given_more_than_it_asked_for_and_nothing_is_lost_or_reordered(kind, steps):
    dispatcher = {
        "demand": DemandDispatcher,
        "broadcast": BroadcastDispatcher,
        "partition": lambda: PartitionDispatcher("abc", lambda event: "abc"[event % 3]),
    }[kind]()
    for consumer in "abc":
        dispatcher.subscribe(consumer, consumer if kind == "partition" else None)
    asked, given = dict.fromkeys("abc", 0), {"a": [], "b": [], "c": []}
    taken = 0
    for consumer, count, made in steps:
        dispatcher.ask(consumer, count)
        asked[consumer] += count
        events = range(taken, taken + min(made, dispatcher.demand))
        taken += len(events)
        for who, share in dispatcher.share(list(events)):
            given[who] += share
    for consumer in "abc":
        assert len(given[consumer]) <= asked[consumer]
        assert given[consumer] == sorted(given[consumer])
    everything = sorted(event for events in given.values() for event in events)
    if kind == "broadcast":
        assert all(events == list(range(taken)) for events in given.values())
    else:
        assert len(everything) + dispatcher.parked == taken
        assert len(set(everything)) == len(everything)
