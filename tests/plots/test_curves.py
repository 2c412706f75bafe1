"""The curves of the pictures against what they estimate."""

import numpy as np
import pytest

from exmc_actors.plots import curves


def test_a_density_is_that_of_the_draws_and_holds_all_of_them():
    values = np.random.default_rng(0).normal(size=20_000)
    places, heights = curves.density(values)
    exact = np.exp(-0.5 * places**2) / np.sqrt(2 * np.pi)
    assert np.abs(heights - exact).max() < 0.02
    assert heights.sum() * (places[1] - places[0]) == pytest.approx(1.0, abs=1e-3)


def test_a_density_does_not_leak_below_a_bound():
    values = np.random.default_rng(0).exponential(size=20_000)
    places, heights = curves.density(values)
    assert places[0] > 0
    assert heights[0] == pytest.approx(1.0, abs=0.1)


def test_a_few_draws_far_out_do_not_flatten_the_rest():
    values = np.concatenate([np.random.default_rng(0).normal(size=5_000), [1e12]])
    places, heights = curves.density(values)
    assert places[-1] < 20
    assert heights.max() == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize(
    "values",
    [np.ones(50), np.zeros(50), np.full(50, np.nan), np.array([1.0]), 1e8 + 1e-9 * np.arange(50)],
    ids=["ones", "zeros", "nan", "one", "rounding"],
)
def test_what_does_not_vary_has_no_density(values):
    assert curves.density(values) is None


def test_whole_numbers_are_counted_and_others_are_not():
    numbers, shares = curves.whole_numbers(np.array([2.0, 2.0, 4.0, np.nan]))
    assert (numbers.tolist(), shares.tolist()) == ([2, 3, 4], pytest.approx([2 / 3, 0, 1 / 3]))
    assert curves.whole_numbers(np.array([0.5, 1.0])) is None
    assert curves.whole_numbers(np.array([0.0, 1e15])) is None


@pytest.mark.parametrize("great", [2.0**63, -2e19, 1e300])
def test_whole_numbers_beyond_those_of_64_bits_are_counted(great):
    numbers, shares = curves.whole_numbers(np.array([great, great]))
    assert (numbers.tolist(), shares.tolist()) == ([great], [1.0])


def test_the_autocorrelation_of_a_first_order_process_is_its_powers():
    noise = np.random.default_rng(0).normal(size=(2, 40_000))
    values = np.zeros_like(noise)
    for draw in range(1, noise.shape[1]):
        values[:, draw] = 0.8 * values[:, draw - 1] + noise[:, draw]
    found = curves.autocorrelation(values)
    assert found.shape == (2, curves.MOST_LAGS)
    np.testing.assert_allclose(found[:, :10], np.tile(0.8 ** np.arange(10), (2, 1)), atol=0.03)


def test_chains_that_agree_leave_the_band_about_once_in_a_hundred_pictures():
    rng, pictures = np.random.default_rng(0), 1000
    left = 0
    for _ in range(pictures):
        differences, count = curves.rank_differences(rng.normal(size=(4, 200)))
        left += (np.abs(differences) > curves.rank_band(4, count) + 1e-9).any()
    assert 2 <= left <= 25


def test_a_chain_that_lies_apart_leaves_the_band():
    values = np.random.default_rng(0).normal(size=(4, 400))
    values[2] += 1.0
    differences, count = curves.rank_differences(values)
    outside = (np.abs(differences) > curves.rank_band(4, count)).any(axis=1)
    assert outside[2]
    assert differences[2].min() < -0.2  # little of it lies below


def test_draws_that_hang_together_are_thinned_before_they_are_ranked():
    steps = np.random.default_rng(0).normal(size=(4, 2000))
    values = np.zeros_like(steps)
    for draw in range(1, steps.shape[1]):
        values[:, draw] = 0.95 * values[:, draw - 1] + steps[:, draw]
    differences, count = curves.rank_differences(values)
    assert 20 < count < 200  # they are worth about 50 a chain
    assert (np.abs(differences) <= curves.rank_band(4, count)).all()


def test_ties_do_not_make_chains_differ():
    values = np.random.default_rng(0).integers(0, 3, size=(4, 500)).astype(float)
    differences, count = curves.rank_differences(values)
    assert (np.abs(differences) <= curves.rank_band(4, count)).all()
