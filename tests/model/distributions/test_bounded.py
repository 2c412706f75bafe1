"""Truncated and Censored: against quadrature and sums, at the bounds, and with bounds that are variables."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats

import exmc_actors.model as ex
from exmc_actors.compiler import compile
from exmc_actors.errors import ModelError
from exmc_actors.model import Model

pytestmark = pytest.mark.usefixtures("exact")


@pytest.mark.parametrize(
    ("inner", "lower", "upper"),
    [
        (ex.Normal(0.0, 1.0), -0.5, 2.0),
        (ex.Normal(0.0, 1.0), 6.0, 7.0),
        (ex.Gamma(2.0, 1.0), None, 3.0),
        (ex.Laplace(0.0, 1.0), 1.0, None),
        (ex.Exponential(1.0), 0.5, 2.5),
        (ex.LogNormal(0.0, 1.0), 0.2, 5.0),
    ],
)
def test_what_is_left_has_mass_one(inner, lower, upper):
    cut = ex.Truncated(inner, lower, upper)
    start = lower if lower is not None else (0.0 if inner.support.inner_point() > 0 else -np.inf)
    density = jax.jit(lambda x: jnp.exp(cut.log_prob(x)))
    mass, _ = integrate.quad(density, start, np.inf if upper is None else upper, epsabs=1e-12)
    assert mass == pytest.approx(1.0, rel=1e-9)
    if lower is not None:
        assert float(cut.log_prob(lower - 0.1)) == -np.inf


def test_it_agrees_with_the_truncated_normal():
    x = np.array([0.6, 1.9, 7.0])
    ours = ex.Truncated(ex.Normal(-3.0, 0.5), 0.5, 8.0).log_prob(x)
    np.testing.assert_allclose(ours, ex.TruncatedNormal(-3.0, 0.5, 0.5, 8.0).log_prob(x), rtol=1e-10)


def test_counts_include_both_bounds():
    x = np.arange(2, 7)
    probabilities = np.exp(ex.Truncated(ex.Poisson(3.5), 2, 6).log_prob(x.astype(float)))
    wanted = stats.poisson(3.5).pmf(x)
    np.testing.assert_allclose(probabilities, wanted / wanted.sum(), rtol=1e-10)
    zero_cut = np.exp(ex.Truncated(ex.Poisson(3.5), lower=1).log_prob(np.array([0.0, 1.0])))
    np.testing.assert_allclose(zero_cut, [0.0, stats.poisson(3.5).pmf(1) / (1 - np.exp(-3.5))], rtol=1e-12)


def test_draws_lie_within_the_bounds_and_follow_the_density():
    """Kolmogorov and Smirnov: a wrong alarm in one seed in a thousand."""
    draws = np.asarray(ex.Truncated(ex.Normal(0.0, 1.0), 0.5, 2.0).sample(jax.random.key(1), (5000,)))
    assert stats.kstest(draws, stats.truncnorm(0.5, 2.0).cdf).pvalue > 1e-3


def test_nothing_is_drawn_where_nothing_is_left():
    cut = ex.Truncated(ex.Uniform(0.0, 1.0), lower=jnp.array([0.5, 1.0, 2.0]))
    draws = np.asarray(cut.sample(jax.random.key(1), (7, 3)))
    assert np.isnan(draws).all(axis=0).tolist() == [False, True, True]
    assert (draws[:, 0] > 0.5).all()


def test_a_bound_may_be_a_variable_and_a_cut_variable_is_moved_onto_its_interval():
    b = ex.Builder()
    low = b.rv("low", ex.Normal(0.0, 1.0))
    b.rv("x", ex.Truncated(ex.Normal(0.0, 2.0), lower=low))
    b.rv("p", ex.Truncated(ex.Exponential(1.0), upper=2.0))
    program = compile(b.model())
    flat = np.array([0.3, -0.4, 0.8])
    values, terms = program.constrain(flat), program.terms(flat)
    assert values["x"] == pytest.approx(0.3 + np.exp(-0.4))
    wanted = stats.norm(0, 2).logpdf(values["x"]) - stats.norm(0, 2).logsf(0.3) - 0.4
    assert terms["x"] == pytest.approx(wanted, rel=1e-12)
    assert 0.0 < values["p"] < 2.0
    _, slope = program.log_density_and_grad(flat)
    for i, step in enumerate(1e-6 * np.eye(3)):
        difference = (program.log_density(flat + step) - program.log_density(flat - step)) / 2e-6
        assert slope[i] == pytest.approx(difference, rel=1e-6)
    assert Model.from_bytes(b.model().to_bytes()).key == b.model().key


def test_a_record_at_a_bound_counts_all_beyond_it():
    known = stats.norm(0.5, 2.0)
    ours = ex.Censored(ex.Normal(0.5, 2.0), -1.0, 3.0).log_prob(np.array([-1.0, 0.0, 3.0]))
    np.testing.assert_allclose(ours, [known.logcdf(-1.0), known.logpdf(0.0), known.logsf(3.0)], rtol=1e-12)


def test_each_entry_may_have_a_bound_of_its_own_and_infinity_is_none():
    times, ends = np.array([1.0, 2.0, 5.0]), np.array([np.inf, 2.0, np.inf])
    b = ex.Builder()
    scale = b.rv("scale", ex.HalfNormal(5.0))
    b.obs("time", ex.Censored(ex.Weibull(1.5, scale), upper=ends), times)
    program = compile(b.model())
    known = stats.weibull_min(1.5, scale=np.exp(0.7))
    wanted = known.logpdf(1.0) + known.logsf(2.0) + known.logpdf(5.0)
    assert program.terms(np.array([0.7]))["time"] == pytest.approx(wanted, rel=1e-12)
    assert np.isfinite(program.log_density_and_grad(np.array([0.7]))[1]).all()


def test_censored_counts_hold_the_bound_itself():
    ours = ex.Censored(ex.Poisson(3.5), upper=5.0).log_prob(np.array([4.0, 5.0]))
    np.testing.assert_allclose(ours, [stats.poisson(3.5).logpmf(4), stats.poisson(3.5).logsf(4)], rtol=1e-12)


def test_censored_draws_are_recorded_at_the_bounds():
    draws = np.asarray(ex.Censored(ex.Normal(0.0, 1.0), upper=0.5).sample(jax.random.key(3), (20_000,)))
    share = (draws == 0.5).mean()
    assert abs(share - stats.norm.sf(0.5)) < 5 * np.sqrt(0.25 / 20_000)
    assert draws.max() == 0.5


def _at_three(make, data):
    """Return the log density of an observation whose distribution depends on a variable of value 3."""
    b = ex.Builder()
    m = b.rv("m", ex.Flat())
    b.obs("y", make(m), np.asarray(data))
    program = compile(b.model())
    value, slope = program.log_density_and_grad(np.array([3.0]))
    assert np.isfinite(slope).all()
    return value


def test_counts_cut_off_between_whole_numbers_lose_those_beyond():
    poisson = stats.poisson(2.0)
    ours = ex.Truncated(ex.Poisson(2.0), lower=0.5, upper=3.5).log_prob(np.array([1.0, 3.0]))
    np.testing.assert_allclose(
        ours, poisson.logpmf([1, 3]) - np.log(poisson.pmf([1, 2, 3]).sum()), rtol=1e-12
    )
    ours = ex.Censored(ex.Poisson(2.0), upper=2.5).log_prob(np.array([2.0, 2.5]))
    np.testing.assert_allclose(ours, [poisson.logpmf(2), poisson.logsf(2)], rtol=1e-12)


def test_a_computed_bound_beside_the_distribution_cuts_off_nothing():
    assert _at_three(lambda m: ex.Truncated(ex.Exponential(1.0), lower=m - 4.0), [0.5]) == pytest.approx(-0.5)
    wanted = np.log(1.0 / 2.0)
    assert _at_three(lambda m: ex.Truncated(ex.Uniform(m - 2.0, 3.0), lower=0.0), [2.0]) == pytest.approx(
        wanted
    )


def test_a_value_within_the_bounds_is_impossible_where_the_distribution_does_not_reach():
    assert _at_three(lambda m: ex.Truncated(ex.Pareto(2.0, m), lower=2.0), [2.5]) == -np.inf
    assert _at_three(lambda m: ex.Truncated(ex.Exponential(1.0), upper=m - 4.0), [-2.0]) == -np.inf


def test_a_record_at_a_bound_that_all_lies_beyond_is_certain_and_one_that_nothing_does_impossible():
    assert _at_three(lambda m: ex.Censored(ex.Pareto(2.0, m), upper=2.0), [2.0]) == 0.0
    assert _at_three(lambda m: ex.Censored(ex.Uniform(0.0, m), upper=4.0), [4.0]) == -np.inf


def test_what_is_cut_off_where_hardly_anything_lies_keeps_its_density():
    wanted = stats.expon(scale=0.1).logpdf(1.5) + 10.0
    ours = ex.Truncated(ex.Gamma(1.0, 10.0), lower=1.0).log_prob(1.5)
    assert float(ours) == pytest.approx(wanted, rel=1e-12)
    ours = ex.Truncated(ex.Gamma(1.0, 1000.0), lower=1.0).log_prob(1.5)
    assert float(ours) == pytest.approx(np.log(1000.0) - 500.0, rel=1e-12)
    ours = ex.Truncated(ex.Uniform(0.0, jnp.asarray(1.0)), lower=2.0).log_prob(3.0)
    assert float(ours) == -np.inf


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: ex.Truncated(3.0, 0.0), "Truncated: a distribution is expected, got 3.0"),
        (lambda: ex.Truncated(ex.Normal(0, 1)), "Truncated: a bound is expected, got none"),
        (lambda: ex.Truncated(ex.Normal(0, 1), 2.0, 1.0), "lower must be below upper"),
        (lambda: ex.Truncated(ex.HalfNormal(1.0), -1.0), "lower must lie where HalfNormal"),
        (lambda: ex.Truncated(ex.VonMises(0.0, 1.0), -1.0), "the probability below a bound is not known"),
        (lambda: ex.Censored(3.0, 0.0), "Censored: a distribution is expected, got 3.0"),
        (lambda: ex.Censored(ex.Normal(0, 1)), "Censored: a bound is expected, got none"),
        (lambda: ex.Builder().rv("x", ex.Censored(ex.Normal(0, 1), 0.0)), "so it is for observations"),
        (lambda: ex.Builder().obs("x", ex.Censored(ex.Normal(0, 1), 0.0), [-1.0]), "between 0.0 and inf"),
    ],
)
def test_what_cannot_be_gets_a_sentence(make, sentence):
    with pytest.raises(ModelError, match=sentence):
        make()
