"""Integers and numbers are known by what they are, not by the library that made them."""

from fractions import Fraction

import jax.numpy as jnp
import numpy as np
import pytest

import exmc_actors as ex
from exmc_actors.arguments import boolean, integer, is_integer, is_number, names
from exmc_actors.runtime import check
from exmc_actors.where import Where


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_integers_of_any_library_are_integers_and_numbers(value):
    assert is_integer(value)
    assert is_number(value)
    assert integer("chains", value, least=1) == 3
    assert type(integer("chains", value, least=1)) is int


@pytest.mark.parametrize("value", [True, np.True_, 3.0, "3", None, np.array(3), 1 + 0j])
def test_nothing_else_is_an_integer(value):
    assert not is_integer(value)
    with pytest.raises(ex.SettingsError, match="chains must be an integer of at least 1, got"):
        integer("chains", value, least=1)


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        (2.5, True),
        (np.float32(2.5), True),
        pytest.param(10**308, True, id="the largest integers"),
        pytest.param(10**309, False, id="an integer that is larger"),
        pytest.param(Fraction(10**309), False, id="a fraction that is larger"),
        (True, False),
        ("2", False),
    ],
)
def test_numbers_are_real_fit_a_float_and_are_no_booleans(value, is_one):
    assert is_number(value) == is_one


@pytest.mark.parametrize(
    "asked",
    [
        lambda value: ex.Walnuts(value),
        lambda value: check(step_size_jitter=value),
        lambda value: check(target_accept=value),
        lambda value: ex.LogDensity(jnp.sum, [0.0], jitter=value),
        lambda value: ex.LogDensity(jnp.sum, [0.0]).unconstrain({"x": [value]}),
        lambda value: ex.Store("x", sync_every=value),
        lambda value: Where("process", patience=value),
        lambda value: ex.MaxTime(value),
        lambda value: ex.MaxGradients(value),
        lambda value: ex.Converged(ess=value),
    ],
)
def test_numbers_that_no_float_can_be_are_refused_in_a_sentence(asked):
    with pytest.raises(ex.ExmcError, match=r"must be|is a number of seconds"):
        asked(10**400)


@pytest.mark.parametrize("value", [0, 6, -(10**30)])
def test_what_is_out_of_range_is_told_with_the_range_and_an_example(value):
    with pytest.raises(ex.SettingsError) as told:
        integer("port", value, least=1, most=5, example=2)
    assert str(told.value) == f"port must be an integer from 1 to 5, got {value!r}: write, say, port=2."


@pytest.mark.parametrize(
    ("value", "chosen"),
    [
        (None, None),
        ("mu", ("mu",)),
        (["mu", "tau"], ("mu", "tau")),
        ((name for name in ("mu", "tau")), ("mu", "tau")),
        ({"mu"}, ("mu",)),
        (np.array(["mu"]), ("mu",)),
        ([], ()),
    ],
)
def test_names_may_come_in_anything_that_yields_them(value, chosen):
    assert names("var_names", value) == chosen


@pytest.mark.parametrize("value", [3, [3], ["mu", None], [["mu"]], b"mu", np.array("mu"), True])
def test_what_is_no_name_is_told_with_what_was_given(value):
    with pytest.raises(ex.SettingsError) as told:
        names("var_names", value)
    sentence = (
        f"var_names must be a name, a list of names, or None, got {value!r}: write, say, var_names=['mu']."
    )
    assert str(told.value) == sentence


def test_booleans_are_true_and_false_of_any_library_and_nothing_else():
    assert boolean("save_warmup", True) is True
    assert boolean("save_warmup", np.False_) is False
    for value in ("no", 1, 0.0, None, [True], np.array(True)):
        with pytest.raises(ex.SettingsError, match="save_warmup must be True or False, got"):
            boolean("save_warmup", value)
