import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from exmc_actors.diagnostics.ranks import normal_scores, split_chains


def test_an_odd_chain_is_split_around_its_middle_draw():
    draws = np.arange(7.0).reshape(1, 1, 7)
    np.testing.assert_array_equal(split_chains(draws), [[[0, 1, 2], [4, 5, 6]]])


@given(arrays(float, (3, 2, 7), elements=st.integers(-4, 4)))
def test_scores_are_the_normal_quantiles_of_ranks_and_ties_share_theirs(draws):
    ranks = stats.rankdata(draws.reshape(3, -1), axis=1, method="average")
    expected = stats.norm.ppf((ranks - 3 / 8) / (14 + 1 / 4)).reshape(draws.shape)
    np.testing.assert_allclose(normal_scores(draws), expected, atol=1e-12)


def test_scores_do_not_depend_on_the_scale_of_the_draws():
    draws = np.random.default_rng(1).normal(size=(2, 4, 50))
    np.testing.assert_array_equal(normal_scores(draws), normal_scores(np.exp(3 * draws)))


def test_no_draws_have_no_scores():
    assert normal_scores(np.empty((2, 4, 0))).shape == (2, 4, 0)
