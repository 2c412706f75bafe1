import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from exmc_actors.diagnostics.ranks import ascending, folded, normal_scores, quantile, split_chains


def scores_of(draws):
    return normal_scores(ascending(draws[None])).reshape(draws.shape)


def assert_in_order(draws):
    found, flat = ascending(draws), draws.reshape(len(draws), -1)
    np.testing.assert_array_equal(found.values, np.sort(flat, axis=1))
    np.testing.assert_array_equal(np.take_along_axis(flat, found.order, axis=1), found.values)
    np.testing.assert_array_equal(np.sort(found.order, axis=1), np.indices(flat.shape)[1])


@given(arrays(float, (2, 2, 5), elements=st.floats(allow_nan=False, allow_infinity=False)))
def test_draws_are_put_in_order_and_know_where_they_came_from(draws):
    assert_in_order(draws)


def test_draws_of_long_tails_apart_from_each_other_and_of_few_values_are_put_in_order():
    random = np.random.default_rng(1)
    normal = random.normal(size=(4, 500))
    far_apart = normal + 1e6 * random.integers(0, 2, size=(4, 500))
    assert_in_order(
        np.stack([normal, 1e9 + normal, np.exp(20 * normal), 1 / normal, far_apart, normal.round()])
    )


def test_an_odd_chain_is_split_around_its_middle_draw():
    draws = np.arange(7.0).reshape(1, 1, 7)
    np.testing.assert_array_equal(split_chains(draws), [[[0, 1, 2], [4, 5, 6]]])


@given(arrays(float, (2, 7), elements=st.integers(-4, 4)))
def test_scores_are_the_normal_quantiles_of_ranks_and_ties_share_theirs(draws):
    ranks = stats.rankdata(draws, method="average").reshape(draws.shape)
    expected = stats.norm.ppf((ranks - 3 / 8) / (14 + 1 / 4))
    np.testing.assert_allclose(scores_of(draws), expected, atol=1e-12)


def test_scores_do_not_depend_on_the_scale_of_the_draws():
    draws = np.random.default_rng(1).normal(size=(4, 50))
    np.testing.assert_array_equal(scores_of(draws), scores_of(np.exp(3 * draws)))


@given(arrays(float, (2, 7), elements=st.integers(-4, 4)))
def test_distances_from_the_median_are_in_order_and_know_where_they_came_from(draws):
    distances = np.abs(draws.reshape(-1) - np.median(draws))
    found = folded(ascending(draws[None]))
    np.testing.assert_array_equal(found.values[0], np.sort(distances))
    np.testing.assert_array_equal(distances[found.order], found.values)


@given(arrays(float, 9, elements=st.floats(-1e3, 1e3)), st.floats(0.0, 1.0))
def test_quantiles_are_those_of_numpy(draws, level):
    np.testing.assert_allclose(
        quantile(ascending(draws[None, None]), level), [np.quantile(draws, level)], rtol=1e-12, atol=1e-12
    )


def test_distances_and_quantiles_beyond_the_greatest_float_are_infinite_and_warn_of_nothing():
    far = np.array([-1.7e308, 5e307, 7e307, 1.7e308])
    found = ascending(far[None, None])
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(folded(found).values, [np.sort(np.abs(far - 6e307))])
    assert quantile(found, 0.1).tolist() == [np.inf]
