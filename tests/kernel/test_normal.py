"""The table of the normal's quantiles against SciPy's, and what is made of it."""

import decimal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from exmc_actors.kernel.normal import _table, standard_normal

pytestmark = pytest.mark.usefixtures("exact")


def words_near(probabilities):
    return (np.asarray(probabilities) * 2.0**52).astype(np.uint64) << np.uint64(12)


def expected(words):
    rank = words >> np.uint64(12)
    upper = rank >= 2**51
    from_end = np.where(upper, np.uint64(2**52 - 1) - rank, rank)
    return np.where(upper, -1.0, 1.0) * special.ndtri((from_end.astype(float) + 0.5) * 2.0**-52)


def some_words():
    """Words all over, some in each binade of the tail, and both sides of each border in the table."""
    random = np.random.default_rng(2).integers(0, 2**64, 200_000, dtype=np.uint64)
    tails = random[:52_000] >> np.repeat(np.arange(52, dtype=np.uint64), 1000)
    borders = words_near([2.0**-e * (1 + part / 8) for e in range(2, 52) for part in range(8)])
    words = np.concatenate([random, tails, borders, borders - np.uint64(1 << 12)])
    return np.concatenate([words, ~words])


def test_normals_are_the_quantiles_to_the_last_digits():
    words = some_words()
    normals, truth = np.asarray(jax.jit(standard_normal)(words)), expected(words)
    assert np.abs(truth).max() > 8.0
    assert np.max(np.abs(normals - truth) / np.maximum(1.0, np.abs(truth))) < 3e-15


def test_the_table_does_not_depend_on_the_hosts_decimals():
    with decimal.localcontext(prec=3):
        np.testing.assert_array_equal(_table.__wrapped__(), _table())


def test_opposite_words_give_opposite_normals_and_none_is_infinite():
    words = some_words()
    normals = np.asarray(standard_normal(words))
    np.testing.assert_array_equal(standard_normal(~words), -normals)
    assert np.isfinite(normals).all()


def test_the_extreme_words_give_finite_opposite_normals():
    low, high = np.asarray(standard_normal(jnp.array([0, 2**64 - 1], jnp.uint64)))
    assert low == -high
    assert stats.norm.cdf(low) == pytest.approx(2.0**-53, rel=1e-12)


def test_normals_are_normal_far_into_the_tails():
    words = jax.random.bits(jax.random.key(5), (400_000,), jnp.uint64)
    z = np.asarray(standard_normal(words))
    assert stats.kstest(z, "norm").pvalue > 1e-3
    for power, truth, variance in [(1, 0, 1), (2, 1, 2), (4, 3, 96), (6, 15, 10170)]:
        assert abs((z**power).mean() - truth) < 4 * np.sqrt(variance / len(z))
