"""How long a call may take is told by the last ones, and by the others' where there was none."""

import math

from exmc_actors.runtime.pace import CALL_SECONDS, Pace


def test_the_first_call_of_a_run_may_take_for_ever():
    assert Pace().expect(0, 1) == math.inf


def test_a_call_takes_its_transitions_and_something_beside():
    pace = Pace()
    pace.observe(0, 10, CALL_SECONDS + 0.02)
    assert math.isclose(pace.expect(0, 100), CALL_SECONDS + 0.2)


def test_a_chain_that_has_made_none_is_as_fast_as_the_last_one_that_has():
    pace = Pace()
    pace.observe(0, 10, CALL_SECONDS + 0.02)
    pace.observe(1, 10, CALL_SECONDS + 0.04)
    assert math.isclose(pace.expect(2, 1), CALL_SECONDS + 0.004)
    assert math.isclose(pace.expect(0, 1), CALL_SECONDS + 0.002)


def test_a_call_that_was_over_at_once_leaves_nothing_negative():
    pace = Pace()
    pace.observe(0, 10, 0.0)
    assert pace.expect(0, 1000) == CALL_SECONDS
