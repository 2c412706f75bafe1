"""How long a call may take is told by the median of the last ones, of long calls by that of their work."""

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


def of_one_long_call_and(*short):
    """Return the pace after a call of 100 units, 0.001 seconds each, and after others of so many units."""
    pace = Pace()
    pace.observe(100, CALL_SECONDS + 0.1)
    for units in short:
        pace.observe(units, CALL_SECONDS + 0.01 * units)
    return pace


def test_short_calls_say_little_of_long_ones():
    assert math.isclose(of_one_long_call_and(*(4,) * 20).of_long_calls(), 0.001)


def test_many_short_calls_say_as_much_as_a_long_one():
    assert math.isclose(of_one_long_call_and(*(10,) * 11).of_long_calls(), 0.01)


def test_the_next_call_is_foretold_by_the_last_ones_whatever_their_size():
    assert math.isclose(of_one_long_call_and(*(4,) * 5).expect_work(1), 0.01)


def test_a_long_call_of_a_program_that_has_made_none_may_take_for_ever():
    assert Pace().of_long_calls() == math.inf
