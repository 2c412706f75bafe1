"""Batches clear nearly all that is well, and hardly anything that ranks find fault with."""

import numpy as np
import pytest

from exmc_actors.diagnostics.clearing import DRAWS_LOOKED_AT, FEWEST_DRAWS, are_well
from exmc_actors.diagnostics.convergence import convergence

QUANTITIES, CHAINS, DRAWS = 400, 4, DRAWS_LOOKED_AT


@pytest.fixture
def well(autoregressive):
    return autoregressive(QUANTITIES, CHAINS, DRAWS, correlation=0.2)


def at_fault(draws):
    """Return which quantities a warning would name."""
    found, chains = convergence(draws), draws.shape[1]
    too_few = np.fmin(found.ess_bulk, found.ess_tail) < 100 * chains
    return (found.r_hat > 1.01) | too_few | np.isnan(found.ess_bulk)


def shifted(draws, strength, slow):
    draws[:, 0] += 0.5 * strength[:, 0]


def wider(draws, strength, slow):
    draws[:, 0] *= 1.0 + 0.8 * strength[:, 0]


def shifted_in_its_first_half(draws, strength, slow):
    draws[:, 0, : DRAWS // 2] += 0.7 * strength[:, 0]


def with_a_long_tail(draws, strength, slow):
    np.exp(3.0 * draws, out=draws)
    draws[:, 0] *= 1.0 + 1.5 * strength[:, 0]


def with_a_kink(draws, strength, slow):
    draws[draws < 0.0] *= 0.01
    draws[:, 0] += 0.5 * strength[:, 0] * np.where(draws[:, 0] > 0.0, 1.0, 0.01)


def narrower_opposite_a_long_tail(draws, strength, slow):
    is_inner = (draws[:, 0] < 0.0) & (draws[:, 0] > -1.4)
    draws[:, 0] *= np.where(is_inner, 1.0 - 0.99 * strength[:, 0], 1.0)
    np.exp(3.0 * draws, out=draws)


def with_a_slow_component(draws, strength, slow):
    draws += 0.6 * np.sqrt(strength) * slow


def with_a_slow_scale(draws, strength, slow):
    draws *= np.exp(strength * slow)


def with_a_sticky_tail(draws, strength, slow):
    draws -= np.where(slow > 2.0 - strength, 6.0, 0.0)


def with_a_rare_mode(draws, strength, slow):
    draws += np.where(slow > 1.0 + 1.5 * strength, 8.0, 0.0)


def without_the_tail_of_a_chain(draws, strength, slow):
    is_below = (draws[:, 0] < -1.2) & (np.abs(slow[:, 0]) < 2.0 * strength[:, 0])
    draws[:, 0][is_below] *= -1.0


def with_its_tail_elsewhere(draws, strength, slow):
    draws[:, 0] -= np.where(draws[:, 0] < -1.2, 3.0 * strength[:, 0], 0.0)


def of_few_values(draws, strength, slow):
    np.round(draws + 1.5 * strength * slow, out=draws)


def standing_still(draws, strength, slow):
    for one, share in zip(draws, strength[:, 0, 0], strict=True):
        one[0, : int(DRAWS * share / 4)] = one[0, 0]


FAULTS = (
    shifted,
    wider,
    shifted_in_its_first_half,
    with_a_long_tail,
    with_a_slow_component,
    with_a_slow_scale,
    with_a_sticky_tail,
    with_a_rare_mode,
    without_the_tail_of_a_chain,
    with_its_tail_elsewhere,
    of_few_values,
    standing_still,
)


ON_TWO_SCALES = (with_a_kink, narrower_opposite_a_long_tail)


@pytest.mark.parametrize("fault", FAULTS + ON_TWO_SCALES, ids=lambda fault: fault.__name__)
def test_what_ranks_find_fault_with_is_not_cleared(well, autoregressive, fault):
    """Of faults from none to grave; where draws lie on two scales, some pass that are just beyond a limit."""
    strength = np.linspace(0.0, 1.0, QUANTITIES)[:, None, None]
    fault(well, strength, autoregressive(QUANTITIES, CHAINS, DRAWS, correlation=0.98, seed=2))
    is_bad = at_fault(well)
    assert is_bad.sum() > 30
    missed = (are_well(well) & is_bad).sum()
    assert missed <= (0.07 * is_bad.sum() if fault in ON_TWO_SCALES else 1)


def test_nearly_all_that_is_well_is_cleared(well):
    assert are_well(well).mean() > 0.98


def test_what_alternates_is_cleared(autoregressive):
    assert are_well(autoregressive(20, CHAINS, DRAWS, correlation=-0.5)).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_draw_that_is_not_finite_is_not_cleared(well, value):
    before = are_well(well)
    well[3, 1, 7] = value
    (changed,) = np.flatnonzero(before != are_well(well))
    assert changed == 3


def test_constants_are_not_cleared():
    assert not are_well(np.full((2, CHAINS, DRAWS), [[[0.0]], [[0.1]]])).any()


def test_draws_near_the_greatest_float_are_left_to_others_in_silence(well):
    well[0, 0] = 1.7e308
    well[0, 1] = -1.7e308
    assert not are_well(well)[0]


def test_few_draws_clear_nothing(well):
    assert not are_well(well[:, :, : FEWEST_DRAWS - 1]).any()
    assert are_well(well[:, :, :FEWEST_DRAWS]).any()


def test_no_chain_has_nothing_to_clear():
    assert are_well(np.zeros((3, 0, DRAWS))).tolist() == [False] * 3


@pytest.mark.parametrize("unit", [2.0**-1000, 2.0**-60, 2.0**200])
def test_the_unit_does_not_matter(well, unit):
    well[::3, 0] += 0.2
    np.testing.assert_array_equal(are_well(well * unit), are_well(well))


def test_neither_does_a_large_offset(well):
    well[::3, 0] += 0.2
    np.testing.assert_array_equal(are_well(well + 1e6), are_well(well))


def test_a_quantity_is_judged_alike_whichever_stand_beside_it(well):
    well[::3, 0] += 0.2
    one_by_one = np.concatenate([are_well(well[i : i + 1]) for i in range(QUANTITIES)])
    assert 0 < one_by_one.sum() < QUANTITIES
    np.testing.assert_array_equal(are_well(well), one_by_one)


@pytest.mark.parametrize("length", [899, 900, 901, 999, 1000])
def test_of_chains_of_any_length_every_draw_is_looked_at(well, length):
    draws = well[:, :, :length]
    assert are_well(draws).mean() > 0.9
    for place in (0, length // 2 - 51, length // 2, length // 2 + 50, length - 1):
        changed = draws.copy()
        changed[:, 1, place] = np.nan
        assert not are_well(changed).any()
    stuck = draws.copy()
    stuck[:, 1, length // 2 - 60 : length // 2 + 60] = 3.0
    assert are_well(stuck).mean() < 0.01


def test_a_stretch_that_stands_still_beside_a_quantile_is_not_cleared(well):
    """The 5 % quantile is known from a few hundred draws, and may be taken for one on the other side."""
    well[:, 2, 100:200] = -1.645
    assert at_fault(well).sum() > 100
    assert are_well(well).mean() < 0.01


def test_no_quantity_has_nothing_to_clear():
    assert are_well(np.zeros((0, CHAINS, DRAWS))).tolist() == []
