import pytest

import supervision as sv
from supervision.exits import cause_of

ERROR = ValueError("boom")


@pytest.mark.parametrize(
    ("reason", "is_abnormal", "phrase"),
    [
        (sv.Normal(), False, "normal end"),
        (sv.Shutdown(), False, "shutdown"),
        (sv.Shutdown("no more work"), False, "shutdown: no more work"),
        (sv.Killed(), True, "killed"),
        (sv.Crash(ERROR), True, "crash: ValueError('boom')"),
        (sv.NoProc(), True, "no such process"),
    ],
)
def test_every_reason_reads_as_a_phrase_and_says_whether_it_is_abnormal(reason, is_abnormal, phrase):
    assert (reason.is_abnormal, str(reason)) == (is_abnormal, phrase)


def test_a_crash_takes_an_exception_and_nothing_else():
    with pytest.raises(TypeError, match=r"Write Crash\(RuntimeError"):
        sv.Crash("boom")


def test_the_cause_is_found_behind_a_crash_and_behind_a_supervisor_that_gave_up():
    gave_up = sv.GaveUp("child", 4, 5.0, sv.Crash(ERROR))
    assert cause_of(sv.Crash(ERROR)) is ERROR
    assert cause_of(sv.Shutdown(gave_up)) is gave_up
    assert gave_up.__cause__ is ERROR
    assert cause_of(sv.Killed()) is None
