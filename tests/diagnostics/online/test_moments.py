"""Moments of parts are those of the whole, for large numbers that differ little too."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exmc_actors.diagnostics.online.moments import Moments, merged, moments, together

SIZES = st.lists(st.integers(1, 40), min_size=2, max_size=12)


def parts_of(sizes, offset, seed):
    rng = np.random.default_rng(seed)
    return [offset + rng.normal(size=(3, size)) for size in sizes]


def check(found, draws):
    assert found.draws == draws.shape[1]
    np.testing.assert_allclose(found.mean, draws.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(found.variance, draws.var(axis=1, ddof=1), rtol=1e-9)


@given(SIZES, st.sampled_from([0.0, -3.0, 1e5]), st.integers(0, 9))
def test_parts_merged_one_after_the_other_are_the_whole(sizes, offset, seed):
    parts = parts_of(sizes, offset, seed)
    total = moments(parts[0])
    for part in parts[1:]:
        total = merged(total, moments(part))
    check(total, np.concatenate(parts, axis=1))


@given(SIZES, st.sampled_from([0.0, -3.0, 1e5]), st.integers(0, 9))
def test_parts_put_together_at_once_are_the_whole(sizes, offset, seed):
    parts = parts_of(sizes, offset, seed)
    each = [moments(part) for part in parts]
    total = together(
        Moments(
            np.array([one.draws for one in each]),
            np.stack([one.mean for one in each], axis=1),
            np.stack([one.square for one in each], axis=1),
        )
    )
    check(total, np.concatenate(parts, axis=1))


@pytest.mark.parametrize("draws", [0, 1])
def test_fewer_than_two_draws_have_no_variance(draws):
    total = together(Moments(np.ones(draws, dtype=int), np.zeros((2, draws)), np.zeros((2, draws))))
    assert np.isnan(total.variance).all()
    assert np.isnan(total.mean).all() == (draws == 0)
