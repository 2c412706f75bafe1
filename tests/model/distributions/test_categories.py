"""Categorical and OrderedLogistic against mpmath, their sums, slopes and draws."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import exmc_actors.model as ex
from exmc_actors.errors import ModelError

pytestmark = pytest.mark.usefixtures("exact")


def ordered_logistic(x, eta, *cutpoints):
    with mpmath.workdps(60):
        edges = [mpmath.mpf("-inf"), *map(mpmath.mpf, cutpoints), mpmath.mpf("inf")]
        low, high = (1 / (1 + mpmath.exp(mpmath.mpf(eta) - edge)) for edge in edges[x : x + 2])
        # The upper tail's difference is the one that does not cancel there.
        if edges[x] > eta:
            low, high = (1 / (1 + mpmath.exp(edge - mpmath.mpf(eta))) for edge in edges[x : x + 2][::-1])
        return mpmath.log(high - low)


STEPS = st.floats(-6, 2).map(lambda exponent: 10.0**exponent)


@pytest.mark.slow
@settings(max_examples=25)
@given(st.floats(-30, 30), st.floats(-5, 5), st.lists(STEPS, min_size=3, max_size=3), st.integers(0, 4))
def test_an_ordered_logistic_agrees_with_mpmath_in_value_and_slopes(eta, first, steps, x):
    cutpoints = np.cumsum([first, *steps])

    def total(*at):
        return ex.OrderedLogistic(at[0], jnp.stack(at[1:])).log_prob(x)

    at = (eta, *map(float, cutpoints))
    value, slopes = jax.value_and_grad(total, argnums=tuple(range(len(at))))(*at)
    # A gap between cutpoints is known to the rounding of the cutpoints.
    gap = np.diff(cutpoints).min(initial=1.0)
    assert float(value) == pytest.approx(float(ordered_logistic(x, *at)), rel=1e-10, abs=1e-15 / gap)
    for i, ours in enumerate(slopes):
        with mpmath.workdps(60):
            h = mpmath.mpf(10) ** -25
            up, down = ((*at[:i], mpmath.mpf(at[i]) + d, *at[i + 1 :]) for d in (h, -h))
            exact = (ordered_logistic(x, *up) - ordered_logistic(x, *down)) / (2 * h)
        assert float(ours) == pytest.approx(float(exact), rel=1e-9, abs=1e-14 / gap**2)


EACH = [
    ex.Categorical(np.array([0.1, 0.0, 0.6, 0.3])),
    ex.OrderedLogistic(0.4, np.array([-1.0, 0.2, 0.3, 2.0])),
    ex.OrderedLogistic(0.4, np.array([0.7])),
]


@pytest.mark.parametrize("distribution", EACH)
def test_probabilities_sum_to_one_and_have_their_mean(distribution):
    mass = np.exp(np.asarray(distribution.log_prob(np.arange(7))))
    assert mass.sum() == pytest.approx(1.0, rel=1e-14)
    assert float(distribution.mean()) == pytest.approx(mass @ np.arange(7), rel=1e-14)


@pytest.mark.slow
@pytest.mark.parametrize("distribution", EACH)
def test_draws_follow_the_probabilities(distribution):
    mass = np.exp(np.asarray(distribution.log_prob(np.arange(7))))
    # A right sampler fails with probability 1e-4; the seed is fixed.
    counted = np.bincount(distribution.sample(jax.random.key(3), (4000,)), minlength=7)
    possible = mass > 0
    assert not counted[~possible].any()
    assert stats.chisquare(counted[possible], 4000 * mass[possible]).pvalue > 1e-4


@pytest.mark.slow
def test_categories_take_probabilities_of_their_own_or_share_them():
    x = np.array([2, 0, 1])
    shared, own = np.array([0.2, 0.3, 0.5]), np.array([[0.1, 0.2, 0.7], [1.0, 0.0, 0.0], [0.25, 0.5, 0.25]])
    np.testing.assert_allclose(ex.Categorical(shared).log_prob(x), np.log([0.5, 0.2, 0.3]), rtol=1e-15)
    np.testing.assert_allclose(ex.Categorical(own).log_prob(x), np.log([0.7, 1.0, 0.5]), rtol=1e-15)
    draws = ex.Categorical(own).sample(jax.random.key(0), (50, 3))
    assert draws.shape == (50, 3)
    assert (draws[:, 1] == 0).all()
    eta, cutpoints = np.array([0.0, 1.0]), np.array([[0.0, 1.0], [0.0, 2.0]])
    both = ex.OrderedLogistic(eta, cutpoints)
    one = [float(ex.OrderedLogistic(eta[i], cutpoints[i]).log_prob(1)) for i in range(2)]
    np.testing.assert_allclose(both.log_prob(np.array([1, 1])), one, rtol=1e-15)
    assert both.sample(jax.random.key(0), (7, 2)).shape == (7, 2)
    assert both.mean().shape == (2,)


def test_a_category_that_cannot_be_leaves_the_gradient_of_the_others_alone():
    slopes = jax.grad(lambda p: ex.Categorical(p).log_prob(np.array([1, 1])).sum())(jnp.array([0.0, 1.0]))
    np.testing.assert_array_equal(slopes, [0.0, 2.0])


def test_cutpoints_out_of_order_give_probability_zero_between_them_and_no_nan():
    def total(cutpoints):
        return ex.OrderedLogistic(0.3, cutpoints).log_prob(1)

    value, slopes = jax.value_and_grad(total)(jnp.array([1.0, 0.0]))
    assert value == -np.inf
    assert np.isfinite(slopes).all()


@pytest.mark.parametrize(
    ("declare", "sentence"),
    [
        (lambda b: ex.Categorical([0.5, 0.6]), r"p must be numbers, 0 or more, that add up to 1"),
        (lambda b: ex.OrderedLogistic(0.0, [1.0, 1.0]), r"cutpoints must be increasing, got \[1.0, 1.0\]"),
        (
            lambda b: b.obs("y", ex.Categorical("p"), [0, 3]),
            r"y: entry \[1\] is 3, outside .* a whole number from 0 to 2",
        ),
        (
            lambda b: b.obs("y", ex.OrderedLogistic(0.0, "c"), [1, 2, 3, 4]),
            r"y: entry \[3\] is 4, outside .* a whole number from 0 to 3",
        ),
        (lambda b: b.rv("k", ex.Categorical("p")), "whole numbers for values"),
    ],
)
def test_mistakes_get_sentences(declare, sentence):
    b = ex.Builder()
    b.rv("p", ex.Dirichlet(np.ones(3)))
    b.rv("c", ex.Normal(0.0, 1.0), shape=3, transform=ex.transforms.Ordered())
    with pytest.raises(ModelError, match=sentence):
        declare(b)
