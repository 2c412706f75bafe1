import pytest
from hypothesis import given
from hypothesis import strategies as st

import supervision as sv
from supervision.strategy import Round, is_auto_shutdown_due, is_restarted, restart_round

ABC = {"a": "permanent", "b": "transient", "c": "permanent"}


@pytest.mark.parametrize(
    ("reason", "transient_is_restarted"),
    [
        (sv.Normal(), False),
        (sv.Shutdown(), False),
        (sv.Shutdown("detail"), False),
        (sv.Killed(), True),
        (sv.Crash(ValueError()), True),
        (sv.NoProc(), True),
    ],
)
def test_permanent_always_transient_after_an_abnormal_end_temporary_never(reason, transient_is_restarted):
    assert is_restarted("permanent", reason)
    assert is_restarted("transient", reason) is transient_is_restarted
    assert not is_restarted("temporary", reason)


def test_one_for_one_touches_nobody_else():
    assert restart_round("one_for_one", ABC, "b") == Round(stop=(), start=("b",))


def test_one_for_all_stops_the_others_in_reverse_and_starts_all_in_order():
    assert restart_round("one_for_all", ABC, "b") == Round(stop=("c", "a"), start=("a", "b", "c"))


def test_rest_for_one_leaves_the_older_children_alone():
    assert restart_round("rest_for_one", ABC, "b") == Round(stop=("c",), start=("b", "c"))


def test_temporary_children_are_stopped_with_the_others_and_never_started():
    children = {**ABC, "d": "temporary"}
    assert restart_round("one_for_all", children, "a") == Round(stop=("d", "c", "b"), start=("a", "b", "c"))


families = st.lists(st.sampled_from(["permanent", "transient", "temporary"]), min_size=1, max_size=6)


@given(st.sampled_from(["one_for_one", "one_for_all", "rest_for_one"]), families, st.data())
def test_a_round_stops_the_young_before_the_old_and_starts_the_old_before_the_young(strategy, types, data):
    children = {str(place): restart for place, restart in enumerate(types)}
    failed = data.draw(st.sampled_from([*children]))
    todo = restart_round(strategy, children, failed)
    assert [*todo.stop] == sorted(todo.stop, reverse=True)
    assert [*todo.start] == sorted(todo.start)
    assert failed not in todo.stop
    assert (failed in todo.start) is (children[failed] != "temporary")
    # Whoever is started had ended before: failed, or stopped in this round.
    assert set(todo.start) <= {failed, *todo.stop}
    assert set(todo.stop) - set(todo.start) == {id for id in todo.stop if children[id] == "temporary"}


@pytest.mark.parametrize(
    ("auto_shutdown", "still_active", "is_due"),
    [
        ("never", [], False),
        ("any_significant", ["b"], True),
        ("all_significant", ["b"], False),
        ("all_significant", [], True),
    ],
)
def test_auto_shutdown_looks_at_the_significant_children_that_are_left(auto_shutdown, still_active, is_due):
    assert is_auto_shutdown_due(auto_shutdown, still_active) is is_due
