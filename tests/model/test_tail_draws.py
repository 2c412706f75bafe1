"""What is drawn between two bounds follows SciPy's distribution there, also where hardly anything lies.

A right sampler fails each case with probability 1e-6; the seed is fixed.
"""

import jax
import numpy as np
import pytest
from scipy import stats

import exmc_actors.model as ex
from exmc_actors.model.tail_draws import draw_within

pytestmark = pytest.mark.usefixtures("exact")

DRAWS = 4000
OF_NUMBERS = [
    (ex.Normal(0.4, 1.7), stats.norm(0.4, 1.7), -1.0, 2.0),
    (ex.Normal(0.4, 1.7), stats.norm(0.4, 1.7), 50.0, None),
    (ex.Normal(0.4, 1.7), stats.norm(0.4, 1.7), -60.0, -50.0),
    (ex.Cauchy(0.4, 1.7), stats.cauchy(0.4, 1.7), None, -1e9),
    (ex.Pareto(2.5, 1.5), stats.pareto(2.5, scale=1.5), 1e5, np.inf),
    (ex.Gamma(2.3, 0.7), stats.gamma(2.3, scale=1.0 / 0.7), 60.0, 70.0),
    (ex.Uniform(-1.0, 3.0), stats.uniform(-1.0, 4.0), 2.5, None),
]
OF_COUNTS = [
    (ex.Poisson(2.0), stats.poisson(2.0), 30, None),
    (ex.Poisson(3.5), stats.poisson(3.5), 1.5, 6.5),
    (ex.Poisson(1.2), stats.poisson(1.2), 1, None),
    (ex.Geometric(0.3), stats.geom(0.3), None, 4),
]


def slow(case):
    return pytest.param(*case, marks=pytest.mark.slow)


@pytest.mark.parametrize(("ours", "known", "lower", "upper"), [OF_NUMBERS[0], *map(slow, OF_NUMBERS[1:])])
def test_numbers_are_the_distributions_between_the_bounds(ours, known, lower, upper):
    draws = np.asarray(draw_within(jax.random.key(1), ours, lower, upper, (DRAWS,)))
    low, high = -np.inf if lower is None else lower, np.inf if upper is None else upper
    assert ((draws >= low) & (draws <= high)).all()
    # Shares by the smaller tail: SciPy rounds the other to one.
    tail = known.cdf if known.cdf(low) + known.cdf(high) < 1.0 else known.sf
    shares = (tail(draws) - tail(low)) / (tail(high) - tail(low))
    assert stats.kstest(shares, "uniform").pvalue > 1e-6


@pytest.mark.parametrize(("ours", "known", "lower", "upper"), [OF_COUNTS[0], *map(slow, OF_COUNTS[1:])])
def test_counts_are_the_distributions_between_the_bounds(ours, known, lower, upper):
    draws = np.asarray(draw_within(jax.random.key(1), ours, lower, upper, (DRAWS,)))
    counts = np.arange(0 if lower is None else np.ceil(lower), 60 if upper is None else np.floor(upper) + 1)
    expected = DRAWS * known.pmf(counts) / known.pmf(counts).sum()
    found = (draws[:, None] == counts).sum(axis=0)
    assert found.sum() == DRAWS
    common = expected >= 5.0
    rest = [[one[~common].sum()] for one in (found, expected)]
    found, expected = (
        np.append(one[common], more) for one, more in zip((found, expected), rest, strict=True)
    )
    kept = expected > 0.0
    assert stats.chisquare(found[kept], expected[kept]).pvalue > 1e-6


def test_each_entry_has_bounds_and_parameters_of_its_own():
    lower = np.array([-np.inf, 40.0, 3.0])
    draws = draw_within(jax.random.key(2), ex.Normal(np.array([0.0, 1.0, 1e6]), 1.0), lower, None, (500, 3))
    assert (np.asarray(draws) >= lower).all()
    assert abs(np.asarray(draws).mean(axis=0) - [0.0, 40.0256, 1e6]).max() < 5.0 / np.sqrt(500)


@pytest.mark.parametrize(("probability", "lower"), [(1e-3, 2e16), (1e-18, None)])
def test_counts_that_no_number_tells_from_the_next_end_the_search(probability, lower):
    draws = np.asarray(draw_within(jax.random.key(1), ex.Geometric(probability), lower, None, (20,)))
    assert (draws >= (1.0 if lower is None else lower)).all()


@pytest.mark.slow
def test_counts_of_huge_rates_are_drawn_without_their_tails():
    # These would be sums of up to a billion terms.
    rates = np.array([1e12, 1e16, 0.5])
    draws = np.asarray(draw_within(jax.random.key(1), ex.Poisson(rates), 1, None, (500, 3)))
    assert (draws >= 1.0).all()
    assert abs((draws[:, :2] - rates[:2]) / np.sqrt(rates[:2])).max() < 6.0
    assert np.median(draws[:, 2]) == 1.0
