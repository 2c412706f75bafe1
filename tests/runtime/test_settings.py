"""A setting that cannot be is refused with what was given, what is accepted, and what to write."""

import numpy as np
import pytest

import exmc_actors as ex
from exmc_actors.runtime import DEFAULT_TUNE, check


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"draws": 0}, r"draws must be an integer from 1 to 2147483632, got 0: write, say, draws=1\."),
        ({"draws": 1.5}, r"draws must be an integer from 1 to 2147483632, got 1\.5"),
        ({"draws": True}, r"draws must be an integer from 1 to 2147483632, got True"),
        ({"draws": 10**10}, r"draws must be an integer from 1 to 2147483632, got 10000000000"),
        ({"draws": 2**31 - 16, "tune": 1}, r"must not exceed 2147483632 together"),
        ({"tune": -1}, r"tune must be an integer of at least 0, got -1"),
        ({"chains": "4"}, r"chains must be an integer of at least 1, got '4'"),
        ({"cores": 0}, r"cores must be an integer of at least 1, got 0"),
        ({"max_treedepth": 16}, r"max_treedepth must be an integer from 1 to 15, got 16"),
        ({"target_accept": 1.0}, r"target_accept must be a number between 0 and 1, got 1\.0"),
        ({"step_size_jitter": 1.0}, r"step_size_jitter must be a number from 0 on and under 1, got 1\.0"),
        ({"step_size_jitter": -0.1}, r"step_size_jitter must be a number from 0 on and under 1, got -0\.1"),
        ({"step_size_jitter": True}, r"step_size_jitter must be a number from 0 on and under 1, got True"),
        ({"target_accept": "high"}, r"target_accept must be a number between 0 and 1, got 'high'"),
        ({"random_seed": -3}, r"random_seed must be a non-negative integer or None, got -3"),
        ({"random_seed": 1.0}, r"random_seed must be a non-negative integer or None, got 1\.0"),
        ({"initvals": [{}], "chains": 2}, r"initvals has 1 entries for 2 chains: give one for each chain\."),
        ({"initvals": 3}, r"initvals must be a dict of start values, or a list of one dict"),
        ({"initvals": [1, 2], "chains": 2}, r"initvals must be a dict of start values"),
    ],
)
def test_is_refused_with_a_sentence(settings, sentence):
    with pytest.raises(ex.SettingsError, match=sentence):
        check(**settings)


def test_defaults_are_filled_in():
    settings = check()
    assert (settings.draws, settings.tune, settings.chains) == (1000, DEFAULT_TUNE, 4)
    assert settings.cores >= 1
    assert check().random_seed != check().random_seed
    assert settings.start_of(0) is None


def test_numpy_integers_are_integers():
    assert check(draws=np.int64(5), random_seed=np.uint32(7)).random_seed == 7


def test_one_mapping_of_start_values_serves_every_chain():
    assert check(initvals={"mu": 1.0}, chains=2).start_of(1) == {"mu": 1.0}
    assert check(initvals=[None, {"mu": 1.0}], chains=2).start_of(0) is None
