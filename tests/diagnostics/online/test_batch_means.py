"""Batch means from bins are those of the draws themselves, and find what autoregression is known to cost."""

import numpy as np
import pytest

from exmc_actors.diagnostics.online.batch_means import (
    chosen,
    effective,
    ladder,
    long_run_variance,
    unless_contradicted,
)
from tests.diagnostics.online.conftest import online_of


def offline(draws, size):
    """Return the replicated lugsail estimate of draws of shape (quantity, chain, draw), by its definition."""

    def variance(size):
        whole = draws.shape[2] // size * size
        means = draws[:, :, :whole].reshape(*draws.shape[:2], -1, size).mean(axis=3)
        return size * means.reshape(len(draws), -1).var(axis=1, ddof=1)

    return 2.0 * variance(size) - variance(size // 2)


@pytest.mark.parametrize("length", [300, 1000, 10_000])
def test_it_agrees_to_rounding_with_the_same_batches_of_all_draws(autoregressive, length):
    draws = 1e3 + autoregressive(5, 3, length, correlation=0.6)
    chains = [online_of(draws)._chains[chain] for chain in range(3)]
    bins = [chain.bins() for chain in chains]
    size = bins[0].size
    means = [one.full() + chain.origin[:, np.newaxis] for one, chain in zip(bins, chains, strict=True)]
    rungs = list(ladder(means, size))
    assert [rung for rung, _ in rungs] == [size << step for step in range(1, len(rungs) + 1)]
    assert len(rungs) >= 3
    for rung, estimate in rungs:
        # What does not fill a bin is left out by both.
        whole = length // size * size
        np.testing.assert_allclose(estimate, offline(draws[:, :, :whole], rung), rtol=1e-8)


def test_what_a_summary_says_is_one_of_these(autoregressive):
    draws = autoregressive(20, 4, 10_000, correlation=0.5)
    summary = online_of(draws).summary()
    pooled = draws.reshape(20, -1).var(axis=1, ddof=1)
    expected = [40_000 * pooled / offline(draws[:, :, :9984], size) for size in (128, 256, 512, 1024)]
    closest = np.min([np.abs(summary.ess / one - 1.0) for one in expected], axis=0)
    assert closest.max() < 1e-9


@pytest.mark.parametrize("correlation", [-0.5, 0.0, 0.5, 0.9])
def test_it_finds_the_variance_of_autoregressive_chains(autoregressive, correlation):
    summary = online_of(autoregressive(60, 4, 10_000, correlation=correlation)).summary()
    truth = 40_000 * (1 - correlation) / (1 + correlation)
    logs = np.log(summary.ess / truth)
    assert abs(logs.mean()) < 0.05
    assert logs.std() < 0.2


def test_longer_batches_are_taken_where_shorter_ones_find_more_correlation():
    rungs = [(10, np.array([1.0, 5.0, 50.0])), (20, np.array([1.1, 5.5, 60.0]))]
    estimate, short = chosen(iter(rungs), np.ones(3))
    np.testing.assert_array_equal(estimate, [1.0, 5.5, 60.0])
    np.testing.assert_array_equal(short, [False, True, True])


def test_halves_are_believed_only_where_they_contradict():
    estimate, halves = np.ones(4), np.array([0.1, 3.0, 3.0, 9.0])
    short = np.array([False, False, True, False])
    np.testing.assert_array_equal(unless_contradicted(estimate, short, halves, 8), [1.0, 1.0, 3.0, 9.0])


def test_no_quantity_has_too_few_batches_for_an_estimate_that_is_none():
    assert np.isnan(long_run_variance([np.zeros((3, 1))], 4)).all()
    np.testing.assert_array_equal(effective(np.zeros(1), np.zeros(1), 80), [80.0])
    assert effective(np.array([1e-9]), np.ones(1), 100) == pytest.approx(200.0)
