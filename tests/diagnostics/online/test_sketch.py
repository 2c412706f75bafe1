"""Quantiles from a sketch: NumPy's at first, then of nearly the right rank, in hardly any memory."""

import numpy as np
import pytest

from exmc_actors.diagnostics.online.bins import TILE
from exmc_actors.diagnostics.online.sketch import Sketch, quantiles

LEVELS = np.array([0.005, 0.05, 0.25, 0.5, 0.75, 0.95, 0.995])


def sketch_of(draws):
    sketch = Sketch()
    for first in range(0, draws.shape[1], TILE):
        tile = draws[:, first : first + TILE]
        sketch.add(tile, is_last=tile.shape[1] < TILE)
    return sketch


def found_in(draws):
    """Return quantiles of draws of shape (quantity, chain, draw)."""
    return quantiles([sketch_of(draws[:, chain]) for chain in range(draws.shape[1])], LEVELS)


def ranks_of(draws, values):
    flat = np.sort(draws.reshape(len(draws), -1), axis=1)
    return np.stack([np.searchsorted(row, column) for row, column in zip(flat, values.T, strict=True)])


@pytest.mark.parametrize("length", [1, 2, 7, 255, 256, 511])
def test_they_are_exact_of_few_draws(length):
    draws = np.random.default_rng(2).standard_cauchy(size=(3, 4, length))
    expected = np.quantile(draws.reshape(3, -1), LEVELS, axis=1)
    np.testing.assert_allclose(found_in(draws), expected, rtol=1e-12)


@pytest.mark.parametrize("order", ["random", "rising", "falling", "in turns"])
@pytest.mark.parametrize(("chains", "length"), [(1, 40_000), (4, 10_000), (4, 777), (40, 3000)])
def test_their_rank_is_nearly_right_whatever_the_order(order, chains, length):
    draws = np.random.default_rng(3).normal(size=(8, chains, length))
    if order != "random":
        draws = np.sort(draws, axis=2)
    if order == "falling":
        draws = draws[:, :, ::-1]
    if order == "in turns":
        draws = np.concatenate((draws[:, :, ::2], draws[:, :, 1::2][:, :, ::-1]), axis=2)
    off = ranks_of(draws, found_in(draws)) / (chains * length) - LEVELS
    assert np.abs(off).max() < 0.01
    assert np.sqrt(np.mean(off**2)) < 0.002


def test_what_it_keeps_grows_with_the_logarithm_only():
    draws = np.random.default_rng(4).normal(size=(1, 1_000_000))
    kept = sum(values.shape[1] for _, values in sketch_of(draws).weighted())
    assert kept <= TILE * (1 + np.log2(1_000_000 / TILE) + 1)


def test_every_draw_has_its_weight():
    for length in (100, 256, 5000, 50_176):
        weights = [w * v.shape[1] for w, v in sketch_of(np.zeros((1, length))).weighted()]
        assert sum(weights) == length


def test_the_same_draws_give_the_same_quantiles_and_ties_stay_ties():
    draws = np.random.default_rng(5).integers(0, 3, size=(2, 2, 9000)).astype(float)
    np.testing.assert_array_equal(found_in(draws), found_in(draws.copy()))
    assert set(np.unique(found_in(draws))) <= {0.0, 1.0, 2.0}


def test_a_copy_takes_draws_that_the_sketch_does_not_see():
    sketch = sketch_of(np.random.default_rng(6).normal(size=(2, 2560)))
    before = quantiles([sketch], LEVELS)
    copied = sketch.copy(slice(1, 2))
    np.testing.assert_array_equal(quantiles([copied], LEVELS), before[:, 1:])
    copied.add(np.full((1, TILE), 9.0))
    copied.add(np.full((1, 100), 9.0), is_last=True)
    np.testing.assert_array_equal(quantiles([sketch], LEVELS), before)
