"""The draws by which a chain came to where it stays teach it nothing."""

import numpy as np
import pytest

from exmc_actors.warmup import Learner, Schedule, teach
from exmc_actors.warmup.estimation import without_directions
from exmc_actors.warmup.settling import arrived, settled


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


def plateau(steps, dim=5, force=1e-3):
    """Return the draws of a chain that is pushed from far away, by less than where it will stay."""
    positions = np.linspace(1e6, 1e5, steps)[:, None] * np.ones(dim)
    return np.stack([positions, np.full((steps, dim), -force)], axis=1)


@pytest.mark.parametrize(("distance", "left"), [(4.0, 105), (7.0, 100)])
def test_a_beginning_is_on_the_way_from_some_five_standard_deviations_on(distance, left):
    positions = np.full((5, 5), distance / np.sqrt(5.0))
    assert len(settled(np.concatenate([np.stack([positions, -positions], axis=1), window()]))) == left


def test_so_is_a_plateau_on_which_gradients_are_smaller_than_ever_after():
    stays = window()
    np.testing.assert_array_equal(settled(np.concatenate([plateau(30), stays])), stays)


def test_so_is_a_way_that_begins_as_if_the_chain_had_arrived():
    stays = window()
    way = np.concatenate([window(2, seed=3), approach(8)])
    np.testing.assert_array_equal(settled(np.concatenate([way, stays])), stays)


def test_which_draws_are_left_out_does_not_depend_on_the_coordinates():
    rng = np.random.default_rng(4)
    turned = rng.normal(size=(5, 5)) * np.geomspace(1e-4, 1e4, 5)
    pairs = np.concatenate([approach(8), window()])
    again = np.stack([pairs[:, 0] @ turned, pairs[:, 1] @ np.linalg.inv(turned).T], axis=1)
    assert len(settled(again)) == len(settled(pairs)) == 100


@pytest.mark.parametrize("tails", [1.0, 2.0, 4.0])
def test_heavy_tails_are_no_way(tails):
    positions = np.random.default_rng(8).standard_t(tails, size=(200, 100, 3))
    gradients = -(tails + 1.0) * positions / (tails + positions**2)
    left = [len(settled(pairs)) for pairs in np.stack([positions, gradients], axis=2)]
    assert np.mean(left) > 99.0


def test_a_chain_that_has_come_from_one_mode_to_another_keeps_most_of_both():
    apart = np.array([100.0, 0.0])[:, None]
    left = [
        len(settled(np.concatenate([window(30, seed=seed), window(70, seed=seed + 50) + apart])))
        for seed in range(50)
    ]
    assert np.mean(left) > 85.0


@pytest.mark.parametrize("size", [1e200, 1e308])
def test_what_overflows_leads_there_too_and_warns_of_nothing(size):
    stays = window()
    far_out = np.stack([np.full((3, 5), size), np.full((3, 5), -size)], axis=1)
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


@pytest.mark.parametrize("way", [plateau(30), approach(8), approach(3)])
def test_a_chain_that_is_still_on_its_way_has_not_arrived(way):
    windows = {3: window(seed=1), 5: way, 8: window(seed=2)}
    assert arrived(windows) == {3, 8}


def test_of_two_chains_on_their_way_the_one_behind_has_not_arrived():
    assert arrived({0: approach(8)[:4], 1: approach(8)[4:]}) == {1}


def test_of_two_chains_that_are_pushed_to_each_other_none_is_behind():
    facing = approach(8)[:4]
    assert arrived({0: facing, 1: -facing}) == {0, 1}
    assert arrived({0: facing, 1: -facing, 2: window()}) == {2}


def test_of_many_chains_those_behind_are_found_by_some_of_the_others():
    windows = {chain: window(40, seed=chain) for chain in range(200)}
    behind = {1, 64, 65, 150}
    windows |= {chain: plateau(40) for chain in behind}
    assert arrived(windows) == set(windows) - behind


@pytest.mark.parametrize("apart", [0.0, 3.0, 10.0, 30.0])
@pytest.mark.parametrize("spread", [0.1, 1.0, 10.0])
def test_chains_in_different_modes_have_all_arrived(apart, spread):
    for seed in range(20):
        modes = [window(seed=seed), window(seed=seed + 30, spread=spread) + np.array([apart, 0.0])[:, None]]
        assert arrived(dict(enumerate(modes))) == {0, 1}


def test_a_chain_that_has_hardly_moved_has_not_arrived_unless_no_chain_has():
    assert arrived({0: window(), 1: window()[:0], 2: window()[:2]}) == {0}
    assert arrived({0: window()[:0], 1: window()[:1]}) == {0, 1}
    assert arrived({0: window()[:0], 1: window()[:50]}) == {1}


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
