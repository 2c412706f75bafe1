"""What is of the wrong kind is refused before there is a model, a folder or a run."""

import numpy as np
import pytest
import trio

import exmc_actors as ex
from exmc_actors.asked import asked
from exmc_actors.opening import open_run
from exmc_actors.options import settled


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"var_names": 3}, "var_names must be a name, a list of names, or None, got 3"),
        ({"var_names": ["mu", 3]}, "var_names must be"),
        ({"var_names": ()}, "var_names is empty"),
        ({"save_warmup": "no"}, "save_warmup must be True or False, got 'no'"),
        ({"resume": "run", "anyway": "no"}, "anyway must be True or False, got 'no'"),
        ({"store": "a\0b"}, "a store is the name of a folder"),
        ({"block_size": 50}, "block_size must be None, or have the methods choose and observe, .* got 50"),
        ({"views": 3}, "views must be a list of async functions of a run's subscribe, got 3"),
        ({"views": [3]}, r"views must be a list of async functions of a run's subscribe, got \[3\]"),
        ({"runner": 3}, "runner must be a function that runs a function, as .* does, got 3: leave it out"),
        ({"parts": None}, "parts must be a function of a run's parts, as .* is, got None"),
        ({"store": ""}, "a store is the name of a folder"),
    ],
)
def test_what_is_of_the_wrong_kind_is_refused_in_a_sentence(options, sentence):
    with pytest.raises(ex.SettingsError, match=sentence):
        asked(**options)


def test_names_that_can_be_read_once_are_those_of_a_run_that_begins_later_too():
    options = settled({"var_names": (name for name in ("mu", "tau"))})
    assert asked(**options).keep.var_names == asked(**options).keep.var_names == ("mu", "tau")


def test_what_shows_progress_is_a_boolean():
    with pytest.raises(ex.SettingsError, match="progressbar must be True or False, got 'no'"):
        ex.sample(None, progressbar="no")


def test_what_would_crash_inside_the_run_is_refused_before_it_begins(tmp_path):
    b = ex.Builder()
    b.rv("mu", ex.Normal(0.0, 1.0))

    async def main():
        async with open_run(b.model(), store=tmp_path / "run", block_size=50):
            pass

    with pytest.raises(ex.SettingsError, match="block_size must be None"):
        trio.run(main)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (ex.LogDensity(lambda q: -q @ q, np.zeros(2)), "a LogDensity says nothing of data"),
        (None, "a Model or a Program is expected, got None"),
    ],
)
def test_what_is_no_model_is_refused(given, sentence):
    with pytest.raises(ex.SettingsError, match=sentence):
        ex.sample_prior_predictive(given)
