import pytest
import trio

import supervision as sv


class Idle(sv.Server):
    pass


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (
            {"strategy": "all"},
            "strategy must be one of 'one_for_one', 'one_for_all', 'rest_for_one', got 'all'",
        ),
        ({"auto_shutdown": "always"}, "auto_shutdown must be one of"),
        ({"max_restarts": -1}, "whole number, 0 or more, got -1"),
        ({"max_restarts": 1.5}, "whole number, 0 or more, got 1.5"),
        ({"max_seconds": 0}, "positive number of seconds, got 0"),
        ({"max_seconds": "5"}, "positive number of seconds, got '5'"),
    ],
)
def test_rules_that_cannot_work_are_refused_when_the_supervisor_is_described(flags, sentence):
    with pytest.raises(sv.SpecError, match=sentence):
        sv.supervisor("top", [], **flags)
    with pytest.raises(sv.SpecError, match=sentence):
        sv.open_supervisor([], **flags)


def test_two_children_of_one_id_are_refused():
    with pytest.raises(sv.SpecError, match="Two children have the id 'a'"):
        sv.supervisor("top", [sv.ChildSpec("a", Idle), sv.ChildSpec("a", Idle)])


def test_a_significant_child_is_refused_where_nobody_looks_at_significance():
    child = sv.ChildSpec("a", Idle, restart="transient", significant=True)
    with pytest.raises(sv.SpecError, match="auto_shutdown='never' ignores that"):
        sv.supervisor("top", [child])


def test_a_bare_class_is_refused_as_a_child():
    with pytest.raises(sv.SpecError, match=r"Write ChildSpec\('an id', Idle, ...\)"):
        sv.supervisor("top", [Idle])
    with pytest.raises(sv.SpecError, match=r"for a supervisor among the children, supervisor\('an id'"):
        sv.supervisor("top", [sv.open_supervisor([])])


@pytest.mark.parametrize("children", [sv.ChildSpec("a", Idle), None, 3])
def test_one_child_without_a_list_is_refused(children):
    with pytest.raises(sv.SpecError, match="children must be a list of ChildSpecs, even of one"):
        sv.open_supervisor(children)


def test_children_may_come_from_a_generator():
    assert len(sv.supervisor("top", (sv.ChildSpec(id, Idle) for id in "abc")).start.children) == 3


async def test_a_function_is_asked_for_the_children_at_every_start():
    ids = ["a"]

    def children():
        return [sv.ChildSpec(id, Idle) for id in ids]

    async with sv.open_supervisor([sv.supervisor("below", children)]) as top:
        below = top.supervisor("below")
        assert [child.id for child in below.which_children()] == ["a"]
        ids.append("b")
        assert [child.id for child in below.which_children()] == ["a"]
        below.ref.exit(sv.KILL)
        await below.wait_exited()
        await trio.testing.wait_all_tasks_blocked()
        assert [child.id for child in below.which_children()] == ["a", "b"]


async def test_a_supervisor_whose_function_returns_no_children_does_not_start():
    with pytest.raises(sv.StartFailed, match="children must be a list of ChildSpecs"):
        async with sv.open_supervisor([sv.supervisor("below", lambda: 3)]):
            pass


def test_a_supervisor_may_be_prepared_before_trio_runs():
    scope = sv.open_supervisor([sv.ChildSpec("a", Idle)])

    async def main():
        async with scope as sup:
            return sup.count_children().active

    assert trio.run(main) == 1
