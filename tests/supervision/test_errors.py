import supervision as sv


def test_giving_up_names_the_child_the_count_the_period_and_the_last_reason():
    error = sv.GaveUp("chain", 4, 5.0, sv.Crash(ValueError("boom")))
    assert str(error) == (
        "the supervisor gave up on child 'chain': failure 4 within 5 s, where 3 may be healed; "
        "last reason: crash: ValueError('boom')"
    )


def test_a_failed_start_chains_what_init_raised():
    boom = ValueError("boom")
    error = sv.StartFailed("chain", sv.Crash(boom))
    assert (str(error), error.__cause__) == ("child 'chain' did not start: crash: ValueError('boom')", boom)


def test_errors_can_be_caught_by_their_common_family_and_by_python_s():
    assert issubclass(sv.SpecError, ValueError)
    assert issubclass(sv.NoSuchChild, LookupError)
    assert all(issubclass(error, sv.SupervisionError) for error in (sv.SpecError, sv.NoSuchChild, sv.GaveUp))
