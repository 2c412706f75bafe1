"""Trajectories grow from two leaves or three, and every leaf of one finds it with the same probability."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from exmc_actors.kernel.growth import Growth, base_for
from tests.kernel.growing import growth_of, in_time, with_each_base, words

pytestmark = pytest.mark.usefixtures("exact")


@pytest.mark.parametrize(
    ("step_size", "steps"),
    [
        (2.0, [1, 2, 5, 11]),
        (1.2, [1, 2, 5, 11]),
        (1.19, [1, 3, 7, 15]),
        (np.exp(np.log(1.06)), [1, 3, 7, 15]),
        (1.05, [1, 2, 5, 11]),
        (0.64, [1, 2, 5, 11]),
        (0.63, [1, 3, 7, 15]),
        (np.exp(np.log(0.454)), [1, 3, 7, 15]),
        (0.453, [1, 2, 5, 11]),
        (0.29, [1, 2, 5, 11]),
        (0.28, [1, 3, 7, 15]),
        (1e-3, [1, 3, 7, 15]),
        (np.nan, [1, 3, 7, 15]),
    ],
)
def test_a_step_size_has_trajectories_of_these_numbers_of_steps(step_size, steps):
    for signed in (step_size, -step_size):
        growth = Growth(base_for(jnp.float64(signed), 10))
        assert [int(growth.size(jnp.int64(k))) - 1 for k in range(1, 5)] == steps


def test_where_a_trajectory_can_grow_only_once_it_grows_to_two():
    assert base_for(jnp.float64(0.8), 1) == 2
    assert base_for(jnp.float64(0.8), 2) == 3


def test_each_lane_has_a_base_of_its_own():
    np.testing.assert_array_equal(base_for(jnp.array([0.6, 0.8, -0.4, 1.1, 1.3]), 10), [2, 3, 3, 2, 3])


@with_each_base
@pytest.mark.parametrize("doublings", [0, 1, 3])
def test_each_leaf_is_the_first_one_with_the_same_probability(base, doublings):
    """Of all ways to grow, each leads to another place of the first leaf among those of the trajectory."""
    growth, extensions = growth_of(base), base - 1 + doublings
    places = [int(growth.start(jnp.int64(extensions), jnp.uint64(one))) for one in words(base, extensions)]
    assert sorted(places) == list(range(base << doublings))


@with_each_base
@pytest.mark.parametrize("doublings", [0, 1, 3])
def test_it_grows_by_as_many_leaves_and_in_the_directions_that_the_word_says(base, doublings):
    growth, extensions = growth_of(base), base - 1 + doublings
    for word in words(base, extensions):
        for extension in range(extensions):
            before, after = in_time(base, extension, word), in_time(base, extension + 1, word)
            assert growth.size(jnp.int64(extension)) == len(before)
            assert growth.leaves(jnp.int64(extension)) == len(after) - len(before)
            goes_forward = after[: len(before)] == before
            assert growth.forward(jnp.int64(extension), jnp.uint64(word)) == goes_forward


@with_each_base
def test_random_words_choose_the_first_leaves_uniformly(base):
    growth = growth_of(base)
    chance = np.random.default_rng(4).integers(2**64, size=200_000, dtype=np.uint64)
    starts = np.asarray(jax.jit(jax.vmap(lambda word: growth.start(jnp.int64(base - 1), word)))(chance))
    counts = np.bincount(starts, minlength=base)
    assert np.all(np.abs(counts / len(chance) - 1 / base) < 4 * np.sqrt((1 / base) / len(chance)))


@with_each_base
@pytest.mark.parametrize("doublings", [0, 1, 2, 4])
def test_slots_are_found_by_place_in_time(base, doublings):
    growth, extensions = growth_of(base), base - 1 + doublings
    slot_of = jax.jit(jax.vmap(growth.slot_of, in_axes=(0, None)))
    for word in words(base, extensions):
        whole = in_time(base, extensions, word)
        start = growth.start(jnp.int64(extensions), jnp.uint64(word))
        assert start == whole.index(0)
        np.testing.assert_array_equal(slot_of(jnp.arange(len(whole)), start), whole)


@with_each_base
def test_without_an_extension_the_first_leaf_is_all_there_is(base):
    growth, none = growth_of(base), jnp.int64(0)
    assert growth.size(none) == 1
    assert growth.start(none, jnp.uint64(2**64 - 1)) == 0
    assert growth.slot_of(none, none) == 0


@with_each_base
def test_leaves_are_in_groups_of_the_base(base):
    leaves = np.concatenate([np.arange(200), 2**31 - 1 - np.arange(200)])
    group, place = jax.jit(growth_of(base).group)(leaves)
    np.testing.assert_array_equal(group, leaves // base)
    np.testing.assert_array_equal(place, leaves % base)


@with_each_base
def test_a_trajectory_is_whole_from_its_first_group_on(base):
    extensions = jnp.arange(4)
    np.testing.assert_array_equal(growth_of(base).is_whole(extensions), np.arange(4) >= base - 2)
    np.testing.assert_array_equal(growth_of(base).is_single(extensions), np.arange(4) < base - 1)
