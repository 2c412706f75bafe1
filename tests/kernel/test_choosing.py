"""The choice among a trajectory's leaves keeps their weights, and goes about half the way around."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from exmc_actors.kernel.choosing import InRoom, choose, reach_of_shift

pytestmark = pytest.mark.usefixtures("exact")

DOUBLINGS = 3
COUNT = 1 << DOUBLINGS


def slots_in_time(directions, doublings=DOUBLINGS):
    """Return the slots of the leaves in the order of time, by doubling a list."""
    whole = [0]
    for doubling in range(doublings):
        new = list(range(1 << doubling, 2 << doubling))
        whole = whole + new if directions >> doubling & 1 else new[::-1] + whole
    return whole


def in_room(weights, doublings, directions):
    """Return the sums that a trajectory of these leaves would have, subtree by subtree."""
    found = InRoom(weights[0], 0.0 * weights[0])
    for doubling in range(int(doublings)):
        subtree = weights[1 << doubling : 2 << doubling].sum()
        found = found.joined_by(subtree, int(directions) >> doubling & 1 == 1)
    return found


@jax.jit
def from_sums(weights, doublings, directions, sums, reach, here, shift):
    return choose(lambda slot: weights[slot], doublings, directions, sums, reach, here, shift)


def chosen(weights, doublings, directions, reach, here, shift):
    sums = in_room(weights, doublings, directions)
    return from_sums(weights, doublings, directions, sums, reach, here, shift)


def word(directions):
    """Return the directions with other bits above them, which are those of doublings that were not joined."""
    return np.uint64(directions | 0xABCD << 32)


@pytest.mark.parametrize("reach", [0.0, 0.1, 0.25])
@pytest.mark.parametrize("shift", [0.0, 0.3, 0.9999])
def test_weights_are_kept_whatever_the_shift(reach, shift):
    """From 500 places in each leaf, by its weight: to two places a leaf, each is reached by its weight."""
    in_time = np.random.default_rng(3).gamma(0.7, size=COUNT)
    in_time[2] = 0.0
    places = (np.arange(500) + 0.5) / 500
    reached = np.zeros(COUNT)
    for directions in range(COUNT):  # each has another leaf to start from
        slots = slots_in_time(directions)
        weights = np.zeros(COUNT)
        weights[slots] = in_time
        sums = in_room(weights, DOUBLINGS, word(directions))
        run = jax.vmap(from_sums, in_axes=(None, None, None, None, None, 0, None))
        found = run(weights, DOUBLINGS, word(directions), sums, reach, places, shift)
        arrived = np.bincount(found, minlength=COUNT)[slots]
        reached += in_time[slots.index(0)] * arrived / 500
    assert reached[2] == 0.0
    np.testing.assert_allclose(reached, in_time, atol=2 * in_time.sum() / 500)


def test_of_equal_weights_the_leaf_half_the_way_around_is_chosen():
    for directions in range(COUNT):
        slots = slots_in_time(directions)
        found = chosen(np.ones(COUNT), DOUBLINGS, word(directions), 0.0, 0.5, 0.5)
        assert slots.index(int(found)) == (slots.index(0) + COUNT // 2) % COUNT


def test_the_range_of_shifts_is_used_from_end_to_end_and_not_left():
    weights, slots = np.ones(64), slots_in_time(0b010110, 6)
    start = slots.index(0)
    run = jax.vmap(lambda shift: chosen(weights, 6, word(0b010110), 0.25, 0.5, shift))
    moves = [(slots.index(int(slot)) - start) % 64 for slot in run(np.linspace(0.0, 1.0 - 1e-12, 200))]
    assert set(moves) == set(range(16, 49))


def test_leaves_beyond_the_doublings_that_were_joined_are_not_chosen():
    weights = np.full(COUNT, 1e9)
    weights[:2] = 1.0
    run = jax.vmap(lambda here: chosen(weights, 1, word(0b101), 0.25, here, 0.7))
    assert set(np.asarray(run(np.linspace(0.0, 0.999, 50))).tolist()) == {0, 1}


def test_a_start_that_weighs_nothing_beside_the_others_moves_to_one_of_them():
    found = chosen(np.array([1.0, 1e260, 0.0, 0.0]), 2, word(0b10), 0.25, 0.5, 0.5)
    assert found == 1


def test_where_the_sums_end_before_the_place_the_last_leaf_that_weighs_anything_is_chosen():
    """A sum by subtrees may be larger in its last bits than one leaf after the other."""
    weights, sums = np.array([1.0, 2.0, 3.0, 0.0]), InRoom(np.float64(6.0 + 1e-12), np.float64(0.0))
    shift = 1.0 - 1e-14
    assert 6.0 < shift * sums.all < sums.all
    assert from_sums(weights, 2, word(0b11), sums, 0.5, 0.0, shift) == 2


def test_without_a_doubling_the_chain_stays():
    run = jax.vmap(lambda here, shift: chosen(np.array([1.0, 1e9]), 0, word(1), 0.25, here, shift))
    assert not np.any(run(*np.random.default_rng(2).uniform(size=(2, 100))))


def test_lanes_choose_as_they_do_alone():
    chance = np.random.default_rng(8)
    weights, doublings = chance.gamma(1.0, size=(16, 6)), np.array([0, 1, 2, 3, 4, 4])
    directions = np.array([word(bits) for bits in chance.integers(16, size=6)])
    reach, here, shift = 0.25 * chance.uniform(size=6), *chance.uniform(size=(2, 6))

    def weight_at(slot):
        return jnp.take_along_axis(jnp.asarray(weights), slot[None], axis=0)[0]

    each = [in_room(weights[:, lane], doublings[lane], directions[lane]) for lane in range(6)]
    sums = InRoom(*(np.array(one) for one in zip(*each, strict=True)))
    together = jax.jit(choose, static_argnums=0)(weight_at, doublings, directions, sums, reach, here, shift)
    alone = [
        chosen(weights[:, lane], doublings[lane], directions[lane], reach[lane], here[lane], shift[lane])
        for lane in range(6)
    ]
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize(
    ("angle", "expected"), [(0.0, 0.25), (np.pi / 2, 0.125 * np.sqrt(2.0)), (np.pi, 0.0)]
)
def test_the_range_is_a_quarter_where_both_ends_move_alike_and_nothing_where_they_move_apart(angle, expected):
    first = np.array([0.3, 0.0, 0.0])
    last = 7.0 * np.array([np.cos(angle), np.sin(angle), 0.0])
    assert reach_of_shift(first, last) == pytest.approx(expected, abs=1e-12)
    lanes = reach_of_shift(np.stack([first, last], -1), np.stack([last, last], -1))
    np.testing.assert_allclose(lanes, [expected, 0.25], atol=1e-12)


def test_ends_without_momentum_have_a_range():
    assert 0.0 <= reach_of_shift(np.zeros(2), np.ones(2)) <= 0.25
