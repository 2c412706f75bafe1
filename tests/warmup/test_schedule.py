"""When the metric is learnt, and from which draws."""

import pytest

from exmc_actors.warmup import Schedule

LENGTHS = [*range(40), 100, 119, 120, 150, 400, 1000, 5000, 100_000]


def test_the_default_warmup_has_these_lessons():
    schedule = Schedule(150)
    assert schedule.lessons == (10, 24, 48, 84, 125, 150)
    assert [schedule.window_start(lesson) for lesson in schedule.lessons] == [0, 10, 24, 48, 48, 48]
    assert (schedule.early, schedule.frozen) == (36, 125)


@pytest.mark.parametrize("tune", LENGTHS)
def test_every_metric_lesson_has_draws_and_all_end_with_the_warmup(tune):
    schedule = Schedule(tune)
    assert list(schedule.lessons) == sorted(set(schedule.lessons))
    assert all(0 < lesson <= tune for lesson in schedule.lessons)
    assert bool(schedule.lessons) == (tune >= 10)
    for lesson in schedule.lessons:
        assert schedule.window_start(lesson) < lesson
        if schedule.learns_metric(lesson):
            assert lesson - schedule.window_start(lesson) >= 10 or lesson == schedule.frozen
    if schedule.lessons:
        assert schedule.lessons[-1] == tune
        assert tune - schedule.frozen <= 50


@pytest.mark.parametrize("tune", LENGTHS)
def test_windows_move_on_and_never_back(tune):
    starts = [Schedule(tune).window_start(lesson) for lesson in Schedule(tune).lessons]
    assert starts == sorted(starts)


@pytest.mark.parametrize("tune", LENGTHS)
def test_stops_lead_through_all_lessons_to_the_end(tune):
    schedule, seen, at = Schedule(tune), [], 0
    while at < tune:
        at = schedule.next_stop(at)
        seen.append(at)
    assert tuple(seen) == (schedule.lessons or ((tune,) if tune else ()))


@pytest.mark.parametrize(("tune", "longest"), [(0, 0), (9, 0), (10, 8), (40, 23), (150, 41)])
def test_the_longest_leg_is_that_between_two_lessons_that_are_furthest_apart(tune, longest):
    assert Schedule(tune).longest_leg == longest
