"""How long a call may take is told by the median of the last ones, each of as much weight as its work."""

import math

from exmc_actors.runtime.pace import CALL_SECONDS, FASTEST, Pace


def paced(*seconds):
    pace = Pace()
    for each in seconds:
        pace.observe(10, CALL_SECONDS + each)
    return pace


def test_the_first_call_of_a_program_may_take_for_ever():
    assert Pace().expect(1) == math.inf


def test_a_call_takes_its_transitions_and_something_beside():
    assert math.isclose(paced(0.02).expect(100), CALL_SECONDS + 0.2)


def test_a_busy_machine_that_slows_some_calls_changes_nothing():
    assert math.isclose(paced(0.02, 5.0, 0.02).expect(10), CALL_SECONDS + 0.02)


def test_work_that_has_become_slower_is_seen_after_a_few_calls():
    assert math.isclose(paced(0.02, *(0.5,) * 8).expect(10), CALL_SECONDS + 0.5)


def test_a_call_that_was_over_at_once_does_not_make_long_ones_quick():
    pace = Pace()
    pace.observe(10, 0.0)
    assert math.isclose(pace.expect(10_000), CALL_SECONDS + 10_000 * FASTEST)


def test_calls_of_a_few_units_say_little_beside_one_of_many():
    pace = Pace()
    pace.observe(10_000, CALL_SECONDS + 0.02)
    for _ in range(6):
        pace.observe(40, 0.001)  # mostly what the call costs
    assert math.isclose(pace.expect(10_000), CALL_SECONDS + 0.02)


def test_many_calls_of_a_few_units_say_as_much_as_one_of_many():
    pace = Pace()
    pace.observe(100, CALL_SECONDS + 0.1)
    for _ in range(7):
        pace.observe(20, CALL_SECONDS + 0.2)
    assert math.isclose(pace.expect(10), CALL_SECONDS + 0.1)
