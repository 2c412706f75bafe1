"""Long chains are judged by some of their draws where nothing is doubtful, by more where something is."""

import numpy as np
import pytest
import xarray as xr

from exmc_actors.diagnostics import agreement
from exmc_actors.diagnostics.agreement import (
    ENOUGH_DRAWS,
    HIGHEST_R_HAT,
    MORE_DRAWS,
    SURE_R_HAT,
    _in_uneven_steps,
    judge,
    judge_doubtful,
)
from exmc_actors.diagnostics.convergence import convergence


def posterior(draws):
    return xr.Dataset({"x": (("q", "chain", "draw"), draws)})


def by_some_draws(draws, step):
    return convergence(draws[:, :, _in_uneven_steps(draws.shape[2], step)])


@pytest.fixture
def long_chains(autoregressive):
    return autoregressive(4, 4, 10 * ENOUGH_DRAWS, correlation=0.3)


def test_what_is_well_is_judged_by_some_draws(long_chains):
    found = judge(posterior(long_chains)).convergence
    some = by_some_draws(long_chains, 10)
    np.testing.assert_array_equal(found.r_hat, some.r_hat)
    np.testing.assert_array_equal(found.ess_bulk, some.ess_bulk)
    np.testing.assert_array_equal(found.ess_tail, some.ess_tail)


def test_what_is_doubtful_is_judged_by_all_draws(long_chains, autoregressive):
    long_chains[1, 2] += 1.0  # a chain elsewhere
    long_chains[2] = autoregressive(1, 4, 10 * ENOUGH_DRAWS, correlation=0.999)[0]
    found, whole = judge(posterior(long_chains)).convergence, convergence(long_chains)
    for field in ("r_hat", "ess_bulk", "ess_tail"):
        np.testing.assert_array_equal(getattr(found, field)[1:3], getattr(whole, field)[1:3])
    assert found.r_hat[1] > agreement.HIGHEST_R_HAT


def test_what_is_doubtful_by_chance_is_judged_by_more_draws_not_by_all(autoregressive):
    draws = autoregressive(300, 4, 10 * ENOUGH_DRAWS, correlation=0.3)
    few, more = by_some_draws(draws, 10), by_some_draws(draws, 10 // MORE_DRAWS)
    by_chance = (few.r_hat >= SURE_R_HAT) & (more.r_hat < SURE_R_HAT)
    assert 0 < by_chance.sum() < 0.03 * len(draws)
    found = judge(posterior(draws)).convergence
    np.testing.assert_array_equal(found.r_hat, np.where(by_chance, more.r_hat, few.r_hat))


@pytest.mark.slow
def test_chains_that_disagree_just_beyond_the_limit_are_found_by_some_of_their_draws(autoregressive):
    """All that all draws put a thousandth beyond it, and nearly all that is nearer."""
    draws = autoregressive(500, 4, 10 * ENOUGH_DRAWS, correlation=0.3)
    draws[:, 0] += 0.3
    found, whole = judge(posterior(draws)).convergence.r_hat, convergence(draws).r_hat
    beyond = whole > HIGHEST_R_HAT
    assert beyond.sum() > 150
    assert (found > HIGHEST_R_HAT)[beyond].mean() > 0.985
    assert (found > HIGHEST_R_HAT)[whole > HIGHEST_R_HAT + 1e-3].all()


def test_quantities_are_judged_alike_whichever_variables_they_belong_to(autoregressive):
    draws = autoregressive(6, 4, 10 * ENOUGH_DRAWS, correlation=0.3)
    draws[[0, 4, 5], 2] += 1.0  # a chain elsewhere
    draws[2, 1, 7] = np.nan
    sizes = [1, 0, 1, 4]
    parts = np.split(draws, np.cumsum(sizes)[:-1])
    split = xr.Dataset({f"x{k}": ((f"q{k}", "chain", "draw"), part) for k, part in enumerate(parts)})
    found, together = judge(split), judge(posterior(draws))
    assert found.names == ["x0[0]", "x2[0]", "x3[0]", "x3[1]", "x3[2]", "x3[3]"]
    for field in ("r_hat", "ess_bulk", "ess_tail"):
        np.testing.assert_array_equal(getattr(found.convergence, field), getattr(together.convergence, field))
    assert (found.convergence.r_hat > HIGHEST_R_HAT).tolist() == [True, False, False, False, True, True]


def test_a_draw_that_is_not_finite_is_seen_wherever_it_is(long_chains):
    long_chains[3, 1, 7] = np.inf
    assert np.isnan(judge(posterior(long_chains)).convergence.ess_bulk).tolist() == [False] * 3 + [True]


@pytest.mark.parametrize("offset", range(3))
def test_a_fault_with_a_period_is_seen_although_it_leaves_every_tenth_draw_alone(long_chains, offset):
    apart = np.arange(4)[:, None] * (np.arange(10 * ENOUGH_DRAWS) % 10 != offset)
    found = judge(posterior(long_chains + apart)).convergence
    assert (found.r_hat > 1.3).all()


def test_short_chains_are_judged_by_all_draws(autoregressive):
    draws = autoregressive(3, 4, ENOUGH_DRAWS + 1, correlation=0.3)
    np.testing.assert_array_equal(judge(posterior(draws)).convergence.r_hat, convergence(draws).r_hat)


@pytest.mark.parametrize("length", [1000, 2500])
def test_of_what_batches_clear_nothing_is_said(autoregressive, length):
    draws = autoregressive(6, 4, length, correlation=0.2)
    draws[[0, 4], 2] += 1.0  # a chain elsewhere
    draws[2, 1, 7] = np.nan
    sizes = [1, 0, 1, 4]
    parts = np.split(draws, np.cumsum(sizes)[:-1])
    split = xr.Dataset({f"x{k}": ((f"q{k}", "chain", "draw"), part) for k, part in enumerate(parts)})
    every, left = judge(split), judge_doubtful(split)
    assert left.names == ["x0[0]", "x3[0]", "x3[2]"]
    assert (left.looked_at, left.total) == (every.looked_at, every.total) == (6, 6)
    for sentence in (agreement.not_finite, agreement.disagreement, agreement.too_few_effective_draws):
        assert sentence(left) == sentence(every)
    assert "2 of 6 quantities: x" in agreement.disagreement(left)


def test_draws_whose_sum_is_beyond_all_numbers_are_finite(long_chains):
    long_chains[1] = 1e305 * np.abs(long_chains[1])
    assert np.isfinite(judge(posterior(long_chains)).convergence.ess_bulk).all()
    assert judge_doubtful(posterior(long_chains)).names == []


def test_a_posterior_of_nothing_has_nothing_to_judge():
    empty = xr.Dataset(coords={"chain": range(4), "draw": range(10)})
    assert judge(empty).names == judge_doubtful(empty).names == []
    no_quantity = posterior(np.zeros((0, 4, 1000)))
    assert judge(no_quantity).names == judge_doubtful(no_quantity).names == []
