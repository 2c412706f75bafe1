"""The choice among a trajectory's leaves keeps their weights, and goes about half the way around."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from exmc_actors.kernel.choosing import InRoom, choose, reach_of_shift
from exmc_actors.kernel.growth import Growth
from tests.kernel.growing import growth_of, in_time, with_each_base, words

pytestmark = pytest.mark.usefixtures("exact")

EXTENSIONS = 3


def in_room(base, weights, extensions, directions):
    """Return the sums that a trajectory of these leaves would have, extension by extension."""
    found = InRoom(weights[0], 0.0 * weights[0])
    for extension in range(int(extensions)):
        before, after = (in_time(base, count, int(directions)) for count in (extension, extension + 1))
        added = weights[len(before) : len(after)].sum()
        found = found.joined_by(added, after[: len(before)] == before)
    return found


@jax.jit
def from_sums(base, weights, extensions, directions, sums, reach, here, shift):
    return choose(lambda slot: weights[slot], extensions, directions, sums, reach, here, shift, Growth(base))


def chosen(base, weights, extensions, directions, reach, here, shift):
    sums = in_room(base, weights, extensions, directions)
    return from_sums(np.int64(base), weights, extensions, directions, sums, reach, here, shift)


def ways_to_grow(base, extensions=EXTENSIONS):
    """Return all words, with other bits above those of the extensions: nobody may read these."""
    return [np.uint64(word | 0b101 << extensions) for word in words(base, extensions)]


@with_each_base
@pytest.mark.parametrize("reach", [0.0, 0.1, 0.25])
@pytest.mark.parametrize("shift", [0.0, 0.3, 0.9999])
def test_weights_are_kept_whatever_the_shift(base, reach, shift):
    """From 500 places in each leaf, by its weight: to two places a leaf, each is reached by its weight."""
    ways = ways_to_grow(base)
    of_leaves = np.random.default_rng(3).gamma(0.7, size=len(ways))
    of_leaves[2] = 0.0
    places = (np.arange(500) + 0.5) / 500
    reached = np.zeros(len(ways))
    for directions in ways:  # each has another leaf to start from
        slots = in_time(base, EXTENSIONS, int(directions))
        weights = np.zeros(len(ways))
        weights[slots] = of_leaves
        sums = in_room(base, weights, EXTENSIONS, directions)
        run = jax.vmap(from_sums, in_axes=(*[None] * 6, 0, None))
        found = run(np.int64(base), weights, EXTENSIONS, directions, sums, reach, places, shift)
        arrived = np.bincount(found, minlength=len(ways))[slots]
        reached += of_leaves[slots.index(0)] * arrived / 500
    assert reached[2] == 0.0
    np.testing.assert_allclose(reached, of_leaves, atol=2 * of_leaves.sum() / 500)


@with_each_base
def test_of_equal_weights_the_leaf_half_the_way_around_is_chosen(base):
    ways = ways_to_grow(base)
    for directions in ways:
        slots = in_time(base, EXTENSIONS, int(directions))
        found = chosen(base, np.ones(len(ways)), EXTENSIONS, directions, 0.0, 0.5, 0.5)
        assert slots.index(int(found)) == (slots.index(0) + len(ways) // 2) % len(ways)


@with_each_base
def test_the_range_of_shifts_is_used_from_end_to_end_and_not_left(base):
    directions = ways_to_grow(base, 6)[22]
    slots = in_time(base, 6, int(directions))
    start, count = slots.index(0), len(slots)
    run = jax.vmap(lambda shift: chosen(base, np.ones(count), 6, directions, 0.25, 0.5, shift))
    moves = [(slots.index(int(slot)) - start) % count for slot in run(np.linspace(0.0, 1.0 - 1e-12, 200))]
    assert set(moves) == set(range(count // 4, 3 * count // 4 + 1))


@with_each_base
def test_leaves_beyond_the_extensions_that_were_joined_are_not_chosen(base):
    weights = np.full(2 * base, 1e9)
    weights[:base] = 1.0
    run = jax.vmap(lambda here: chosen(base, weights, base - 1, np.uint64(2**64 - 1), 0.25, here, 0.7))
    found = set(np.asarray(run(np.linspace(0.0, 0.999, 50))).tolist())
    assert len(found) > 1
    assert found <= set(range(base))


@with_each_base
def test_a_start_that_weighs_nothing_beside_the_others_moves_to_one_of_them(base):
    found = chosen(base, np.array([1.0, 1e260, 0.0, 0.0]), 2, ways_to_grow(base, 2)[1], 0.25, 0.5, 0.5)
    assert found == 1


def test_where_the_sums_end_before_the_place_the_last_leaf_that_weighs_anything_is_chosen():
    """A sum by subtrees may be larger in its last bits than one leaf after the other."""
    weights, sums = np.array([1.0, 2.0, 3.0, 0.0]), InRoom(np.float64(6.0 + 1e-12), np.float64(0.0))
    shift = 1.0 - 1e-14
    assert 6.0 < shift * sums.all < sums.all
    forward = np.uint64(0b11 | 1 << 63)
    assert from_sums(np.int64(2), weights, 2, forward, sums, 0.5, 0.0, shift) == 2


@with_each_base
def test_without_an_extension_the_chain_stays(base):
    forward, weights = np.uint64(2**64 - 1), np.array([1.0, 1e9])
    run = jax.vmap(lambda here, shift: chosen(base, weights, 0, forward, 0.25, here, shift))
    assert not np.any(run(*np.random.default_rng(2).uniform(size=(2, 100))))


@with_each_base
def test_lanes_choose_as_they_do_alone(base):
    chance = np.random.default_rng(8)
    weights, extensions = chance.gamma(1.0, size=(16, 6)), np.array([0, base - 1, 2, 3, 4, 4])
    directions = chance.integers(2**64, size=6, dtype=np.uint64)
    reach, here, shift = 0.25 * chance.uniform(size=6), *chance.uniform(size=(2, 6))

    def weight_at(slot):
        return jnp.take_along_axis(jnp.asarray(weights), slot[None], axis=0)[0]

    each = [in_room(base, weights[:, lane], extensions[lane], directions[lane]) for lane in range(6)]
    sums = InRoom(*(np.array(one) for one in zip(*each, strict=True)))
    run = jax.jit(choose, static_argnums=0)
    together = run(weight_at, extensions, directions, sums, reach, here, shift, growth_of(base))
    alone = [
        chosen(
            base, weights[:, lane], extensions[lane], directions[lane], reach[lane], here[lane], shift[lane]
        )
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
