"""The criterion of a turn, on stretches whose answer is plain."""

import numpy as np
import pytest

from exmc_actors.kernel.turning import group_turns, is_turning

pytestmark = pytest.mark.usefixtures("exact")

AHEAD, SIDE, BACK = np.array([1.0, 0.0]), np.array([0.2, 1.0]), np.array([-1.0, 0.0])


def halves(*momenta):
    """Return the arguments for a stretch of leaves with these momenta, halved in the middle."""
    left, right = np.array_split(np.array(momenta), 2)
    return left[0], left[-1], left.sum(axis=0), right[0], right[-1], right.sum(axis=0)


@pytest.mark.parametrize(
    ("momenta", "turning"),
    [
        ((AHEAD, AHEAD), False),
        ((AHEAD, SIDE), False),
        ((AHEAD, BACK), True),
        ((AHEAD, SIDE, SIDE, AHEAD), False),
        ((AHEAD, AHEAD, AHEAD, BACK), True),
        ((AHEAD, np.array([np.nan, 0.0])), True),
    ],
)
def test_a_stretch_turns_when_an_end_points_against_its_sum(momenta, turning):
    assert is_turning(*halves(*momenta)) == turning


def test_a_turn_between_the_halves_is_seen_though_the_whole_goes_straight_on():
    momenta = np.array([[1.0, 0.0], [3.0, 0.0], [-5.0, 1.0], [4.0, 0.0]])
    first, inner_left, total_left, inner_right, last, total_right = halves(*momenta)
    whole = total_left + total_right
    assert np.dot(first, whole) > 0
    assert np.dot(last, whole) > 0
    assert is_turning(first, inner_left, total_left, inner_right, last, total_right)


@pytest.mark.parametrize(
    ("momenta", "turning"),
    [
        ((AHEAD, AHEAD), False),
        ((AHEAD, BACK), True),
        ((AHEAD, SIDE, AHEAD), False),
        ((AHEAD, SIDE, np.array([-1.3, 0.5])), True),
        ((np.array([-1.3, 0.5]), SIDE, AHEAD), True),
        ((2.0 * AHEAD, BACK, AHEAD), True),
        ((AHEAD, np.array([np.nan, 0.0]), AHEAD), True),
    ],
)
def test_the_first_leaves_turn_when_one_of_them_points_against_their_sum(momenta, turning):
    first, *_, middle, last = (momenta[0], *momenta)
    assert group_turns(first, middle, last, np.sum(momenta, axis=0)) == turning
    backward = momenta[::-1]
    assert group_turns(backward[0], backward[-2], backward[-1], np.sum(momenta, axis=0)) == turning
