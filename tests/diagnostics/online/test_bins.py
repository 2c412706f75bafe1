"""Bins hold all draws in order, in a bounded number of equal stretches."""

from itertools import pairwise

import numpy as np
import pytest

from exmc_actors.diagnostics.online.bins import MOST_BINS, TILE, Bins
from exmc_actors.diagnostics.online.moments import together

DRAWS = np.random.default_rng(1).normal(3.0, 2.0, size=(2, 200_000))


def bins_of(length):
    bins = Bins(2)
    for first in range(0, length, TILE):
        bins.add(DRAWS[:, first : min(first + TILE, length)])
    return bins


@pytest.mark.parametrize("length", [1, 5, 255, 256, 257, 1000, 10_000, 65_536, 65_537, 131_072, 199_999])
def test_all_draws_are_in_bins_of_one_size_and_there_are_not_many(length):
    bins = bins_of(length)
    parts, draws = bins.parts(), DRAWS[:, :length]
    assert parts.draws.sum() == length
    assert (parts.draws[:-1] == bins.size).all()
    assert length <= bins.size * MOST_BINS
    assert parts.mean.shape[1] > MOST_BINS // 2 - 1 or bins.size == 1
    bounds = np.append(0, np.cumsum(parts.draws))
    each = [draws[:, a:b] for a, b in pairwise(bounds)]
    np.testing.assert_allclose(parts.mean, np.stack([one.mean(axis=1) for one in each], axis=1), rtol=1e-12)
    squares = np.stack([len(one[0]) * one.var(axis=1) for one in each], axis=1)
    np.testing.assert_allclose(parts.square, squares, atol=1e-9)
    whole = together(parts)
    np.testing.assert_allclose(whole.mean, draws.mean(axis=1), rtol=1e-12)
    if length > 1:
        np.testing.assert_allclose(whole.variance, draws.var(axis=1, ddof=1), rtol=1e-11)


def test_a_copy_of_some_quantities_shares_nothing():
    bins = bins_of(70_000)
    before = bins.parts()
    copied = bins.copy(slice(1, 2))
    np.testing.assert_array_equal(copied.parts().mean, before.mean[1:])
    copied.add(DRAWS[1:, :TILE])
    np.testing.assert_array_equal(bins.parts().mean, before.mean)
    np.testing.assert_array_equal(bins.parts().square, before.square)
