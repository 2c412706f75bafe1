"""What a rule is made of, and what is refused as one."""

import pytest

import exmc_actors as ex
from tests.runtime.conftest import schools


@pytest.mark.parametrize(
    ("text", "seconds"), [("90 s", 90), ("10 min", 600), ("1.5h", 5400), (3, 3), (0.5, 0.5)]
)
def test_limits_are_numbers_of_seconds_or_texts(text, seconds):
    assert ex.MaxTime(text).seconds == seconds
    assert (ex.MaxTime("99 h") | ex.MaxTime(text) | ex.Converged()).seconds == seconds


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: ex.MaxTime("soon"),
            "a time limit is a number of seconds, or a text such as '10 min', got 'soon'",
        ),
        (lambda: ex.MaxTime(0), "must be positive"),
        (lambda: ex.MaxTime(True), "a time limit is a number of seconds"),
        (lambda: ex.Converged(rhat=1.0), "rhat must be a number over 1, got 1.0"),
        (lambda: ex.Converged(ess="many"), "ess must be a number over 0, got 'many'"),
        (lambda: ex.MaxDivergences(-1), "most must be a number over -1, got -1"),
        (lambda: ex.MaxGradients(0), "most must be a number over 0, got 0: write, say, most=1000000"),
        (lambda: ex.sample(schools(), stop=400), "stop must be a rule or None, got 400"),
    ],
)
def test_what_is_no_rule_is_refused(make, sentence):
    with pytest.raises(ex.SettingsError, match=sentence):
        make()
