import pytest

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
    with pytest.raises(sv.SpecError, match="Write ChildSpec"):
        sv.supervisor("top", [Idle])
