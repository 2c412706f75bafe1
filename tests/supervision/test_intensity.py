from hypothesis import given
from hypothesis import strategies as st

from supervision.intensity import RestartIntensity

from .counting import calls_in


def test_gives_up_on_the_fourth_crash_within_the_period():
    budget = RestartIntensity(max_restarts=3, max_seconds=5.0)
    for second in (0.0, 1.0, 2.0):
        budget.record(second)
        assert not budget.is_exceeded
    budget.record(3.0)
    assert budget.is_exceeded


def test_a_failure_that_is_exactly_one_period_old_still_counts():
    for second, is_exceeded in ((5.0, True), (5.001, False)):
        budget = RestartIntensity(max_restarts=1, max_seconds=5.0)
        budget.record(0.0)
        budget.record(second)
        assert budget.is_exceeded is is_exceeded


def test_with_no_restarts_allowed_the_first_failure_is_one_too_many():
    budget = RestartIntensity(max_restarts=0, max_seconds=5.0)
    budget.record(0.0)
    assert budget.is_exceeded


@given(st.integers(0, 4), st.integers(1, 10), st.lists(st.integers(0, 6), max_size=30))
def test_counts_what_a_full_list_of_all_failures_would_count(limit, period, gaps):
    budget, now, history = RestartIntensity(limit, period), 0, []
    for gap in gaps:
        now += gap
        history.append(now)
        budget.record(now)
        assert budget.is_exceeded == (sum(now - time <= period for time in history) > limit)


def test_one_failure_more_costs_the_same_however_many_count_already():
    budget = RestartIntensity(max_restarts=10**6, max_seconds=5.0)
    for _ in range(1000):
        budget.record(0.0)
    assert calls_in(lambda: budget.record(1.0)) < 10
    assert budget.failures == 1001
