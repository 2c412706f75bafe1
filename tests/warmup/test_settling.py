"""The draws by which a chain came to where it stays teach it nothing."""

import numpy as np
import pytest

from exmc_actors.warmup import Learner, Schedule, teach
from exmc_actors.warmup.estimation import without_directions
from exmc_actors.warmup.settling import settled


def window(n=100, dim=5, seed=0, spread=1.0):
    """Return independent draws of normals, each with its gradient."""
    positions = spread * np.random.default_rng(seed).normal(size=(n, dim))
    return np.stack([positions, -positions / spread**2], axis=1)


def approach(steps, dim=5, spread=1.0):
    """Return the draws of a chain that halves its distance with each."""
    positions = spread * 1000.0 * 0.5 ** np.arange(steps)[:, None] * np.ones(dim)
    return np.stack([positions, -positions / spread**2], axis=1)


@pytest.mark.parametrize("spread", [1e-6, 1.0, 1e6])
def test_what_leads_to_where_the_chain_stays_is_left_out(spread):
    stays = window(spread=spread)
    left = settled(np.concatenate([approach(8, spread=spread), stays]))
    np.testing.assert_array_equal(left, stays)


@pytest.mark.parametrize("dim", [1, 2, 20, 200])
def test_of_a_chain_that_has_arrived_nearly_nothing_is_left_out(dim):
    lengths = [len(settled(window(dim=dim, seed=seed))) for seed in range(200)]
    # Of one coordinate, a draw beyond three standard deviations is one in 600 or so.
    assert sum(100 - length for length in lengths) <= 5


@pytest.mark.parametrize("size", [1e200, 1e308])
def test_gradients_whose_squares_overflow_lead_there_too_and_warn_of_nothing(size):
    stays = window()
    far_out = np.full((3, 2, 5), size)
    np.testing.assert_array_equal(settled(np.concatenate([far_out, stays])), stays)


def test_a_draw_far_out_among_others_stays():
    pairs = window()
    pairs[20] *= 100.0
    assert len(settled(pairs)) == 100


def test_at_most_half_is_left_out():
    far_away = np.repeat(approach(1), 60, axis=0)
    assert len(settled(np.concatenate([far_away, window(40)]))) == 50


def test_a_short_window_is_left_as_it_is():
    pairs = np.concatenate([approach(9), window(10)])
    assert settled(pairs) is pairs


def test_a_coordinate_without_a_slope_says_nothing():
    pairs = window()
    pairs[:, 1, 2] = 0.0
    assert len(settled(pairs)) == 100


def test_a_metric_is_that_of_where_the_chains_stay():
    arrived = [window(seed=seed) for seed in range(4)]
    late = [np.concatenate([approach(6 + seed), pairs]) for seed, pairs in enumerate(arrived)]
    metrics = []
    for windows in (arrived, late):
        learners = {
            chain: Learner(pairs, without_directions(np.ones(5), 8), 0.0)
            for chain, pairs in enumerate(windows)
        }
        metrics.append(teach(Schedule(150), 125, learners)[0].metric)
    for found, expected in zip(metrics[1], metrics[0], strict=True):
        np.testing.assert_array_equal(found, expected)
