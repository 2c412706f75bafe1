import functools
import math

import pytest

import supervision as sv


class Idle(sv.Server):
    pass


async def nap(seconds):
    pass


def not_async():
    pass


class AsyncCallable:
    async def __call__(self):
        pass


def test_a_worker_has_five_seconds_to_stop_and_a_supervisor_as_long_as_it_takes():
    assert sv.ChildSpec("a", Idle).shutdown == 5.0
    assert sv.ChildSpec("a", Idle, type="supervisor").shutdown == "infinity"
    assert sv.supervisor("a", []).shutdown == "infinity"


@pytest.mark.parametrize(("shutdown", "grace"), [(2, 2.0), ("infinity", math.inf), ("brutal_kill", 0.0)])
def test_grace_is_the_time_between_the_question_and_the_kill(shutdown, grace):
    assert sv.ChildSpec("a", Idle, shutdown=shutdown).grace == grace


@pytest.mark.parametrize("start", [Idle, nap, functools.partial(nap, 1), AsyncCallable()])
def test_a_server_class_or_anything_async_can_be_started(start):
    assert sv.ChildSpec("a", start).start is start


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"id": ""}, "non-empty string"),
        ({"id": 3}, "non-empty string, got 3"),
        ({"start": not_async}, "must be written with 'async def'"),
        ({"start": dict}, r"Write class dict\(Server\)"),
        ({"start": Idle()}, r"Give the class itself, ChildSpec\('a', Idle"),
        ({"args": "abc"}, r"write args=\('abc',\)"),
        ({"restart": "always"}, "'permanent', 'transient', 'temporary', got 'always'"),
        ({"type": "manager"}, "'worker', 'supervisor', got 'manager'"),
        ({"shutdown": -1}, "seconds"),
        ({"shutdown": math.nan}, "seconds"),
        ({"shutdown": True}, "seconds"),
        ({"shutdown": "never"}, "'brutal_kill' or 'infinity', got 'never'"),
        ({"name": "a"}, r"must come from a registry, registry\.via\(key\), got 'a'"),
        ({"name": sv.Registry()}, "must come from a registry"),
        ({"significant": True}, "Write restart='transient' or 'temporary'"),
    ],
)
def test_a_spec_that_cannot_work_is_refused_with_a_sentence(fields, sentence):
    with pytest.raises(sv.SpecError, match=sentence):
        sv.ChildSpec(**{"id": "a", "start": Idle, **fields})


def test_a_spec_does_not_change_when_the_caller_s_arguments_do():
    options = {"size": 1}
    spec = sv.ChildSpec("a", Idle, kwargs=options)
    options["size"] = 2
    assert spec.kwargs == {"size": 1}
