"""The words of a transition are uniform, uncorrelated, and a function of key and index alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.random import threefry_2x32
from scipy import stats

from exmc_actors.kernel.normal import standard_normal
from exmc_actors.kernel.random import transition_words, uniform_at
from tests.kernel import recursive_nuts
from tests.kernel.growing import growth_of

pytestmark = pytest.mark.usefixtures("exact")

KEY = np.array([1, 2], np.uint32)


def uniforms(seeds, counters):
    return np.asarray(jax.vmap(lambda s: jax.vmap(lambda c: uniform_at(s, c))(counters))(seeds))


def some_seeds(count):
    """Seeds as a chain makes them: the leaf words of consecutive transitions."""
    return jax.vmap(lambda index: transition_words(KEY, index, 1).leaf_seed)(jnp.arange(count))


def test_the_counter_hash_is_splitmix64():
    # The first outputs of the published generator started at seed 1234567.
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    got = [recursive_nuts.uniform(1234567, counter) for counter in range(3)]
    assert got == [(word >> 11) * 2.0**-53 for word in expected]
    assert [float(uniform_at(jnp.uint64(1234567), jnp.int64(c))) for c in range(3)] == got


@pytest.mark.slow
def test_leaf_uniforms_are_uniform_within_a_transition_and_across_transitions():
    u = uniforms(some_seeds(2000), jnp.arange(64))
    assert stats.kstest(u.ravel(), "uniform").pvalue > 1e-3
    for column in (0, 1, 63):
        assert stats.kstest(u[:, column], "uniform").pvalue > 1e-3


@pytest.mark.parametrize("lag", [1, 2, 3, 7, 32])
@pytest.mark.slow
def test_leaf_uniforms_have_no_serial_correlation(lag):
    u = uniforms(some_seeds(4000), jnp.arange(64)) - 0.5
    pairs = u[:, :-lag] * u[:, lag:]
    assert abs(pairs.sum() / np.sqrt(pairs.size) * 12) < 4  # Var of a product of centred uniforms is 1/144


@pytest.mark.slow
def test_consecutive_transitions_share_nothing():
    u = uniforms(some_seeds(4000), jnp.arange(8)) - 0.5
    pairs = u[:-1] * u[1:]
    assert abs(pairs.sum() / np.sqrt(pairs.size) * 12) < 4


@pytest.mark.slow
@pytest.mark.parametrize("lag", [1, 2, 7])
def test_what_a_chain_moves_by_has_no_correlation_from_one_transition_to_the_next(lag):
    words = jax.vmap(lambda index: transition_words(KEY, index, 1))(jnp.arange(100_000))
    here, shift = uniforms(words.choice_seed, jnp.array([10, 11])).T - 0.5
    for one in (here, shift):
        for other in (here, shift):
            pairs = one[:-lag] * other[lag:]
            assert abs(pairs.sum() / np.sqrt(pairs.size) * 12) < 4


@pytest.mark.slow
def test_direction_bits_are_fair_and_independent_of_the_seeds_the_momentum_and_the_step():
    words = jax.vmap(lambda index: transition_words(KEY, index, 1))(jnp.arange(20000))
    extensions = jnp.arange(10)
    forward = jax.vmap(jax.vmap(growth_of(2).forward, in_axes=(0, None)), in_axes=(None, 0))
    bits = np.asarray(forward(extensions, words.directions)) - 0.5
    starts = np.asarray(jax.vmap(growth_of(3).start, in_axes=(None, 0))(jnp.int64(2), words.directions))
    n = len(bits)
    assert np.all(np.abs(bits.sum(0)) / np.sqrt(n / 4) < 4)
    assert np.all(np.abs(np.bincount(starts) / n - 1 / 3) < 4 * np.sqrt(2 / 9 / n))
    first_leaf = uniforms(words.leaf_seed, jnp.arange(1, 2))[:, 0] - 0.5
    first_merge, here, shift = uniforms(words.choice_seed, jnp.array([0, 10, 11])).T - 0.5
    normals = np.asarray(words.normals)[:, 0]
    step = np.asarray(words.step_uniform)
    assert stats.kstest(step, "uniform").pvalue > 1e-3
    columns = np.stack(
        [first_leaf, first_merge, here, shift, step, np.sign(normals), np.abs(normals), *bits.T]
    )
    correlation = np.corrcoef(columns)
    off_diagonal = correlation[np.triu_indices(len(columns), 1)]
    assert np.all(np.abs(off_diagonal) < 4.5 / np.sqrt(n))
    # The place among three has a bit in common with the first direction of two, and with nothing else.
    others = np.delete(columns, len(columns) - len(bits.T), axis=0)
    assert np.all(np.abs([np.corrcoef(starts, one)[0, 1] for one in others]) < 4.5 / np.sqrt(n))


def test_the_words_of_a_transition_are_threefry_of_its_index_and_the_number_of_the_word():
    for key, index in [(KEY, 0), (KEY, 17), (np.array([2**32 - 1, 0], np.uint32), 2**31 - 2)]:
        counters = np.array([[index] * 9, range(9)], np.uint32)
        high, low = np.asarray(threefry_2x32(jnp.asarray(key), jnp.asarray(counters)), np.uint64)
        expected = high << np.uint64(32) | low
        words = jax.jit(transition_words, static_argnums=2)(key, index, 5)
        np.testing.assert_array_equal(np.array(words[1:4]), expected[5:8])
        assert float(words.step_uniform) == float(expected[8] >> 11) * 2.0**-53
        np.testing.assert_array_equal(words.normals, standard_normal(expected[:5]))


def test_another_index_or_key_gives_other_words_and_the_same_gives_the_same():
    a = transition_words(KEY, 5, 3)
    again = transition_words(KEY, 5, 3)
    np.testing.assert_array_equal(a.normals, again.normals)
    assert a.leaf_seed == again.leaf_seed
    assert transition_words(KEY, 6, 3).leaf_seed != a.leaf_seed
    assert transition_words(np.array([1, 3], np.uint32), 5, 3).leaf_seed != a.leaf_seed
