"""Every distribution of numbers against its formula in mpmath, and against itself: mass, mean, draws."""

import jax
import mpmath
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scipy import stats

import exmc_actors
import exmc_actors.model as ex
from exmc_actors.model.distributions import DISTRIBUTIONS, Distribution
from exmc_actors.model.supports import UnitInterval
from tests.model.distributions.cases import OUTSIDE, ROWS, USUAL
from tests.model.distributions.line import distribution_function, integral, line_of
from tests.model.distributions.oracles import DIGITS, LOG_DENSITIES, log_density, slope

pytestmark = pytest.mark.usefixtures("exact")

CASES = [(name, parameters) for name, given in USUAL.items() for parameters in given]
CONTINUOUS = [case for case in CASES if not DISTRIBUTIONS[case[0]].is_discrete]
DISCRETE = [case for case in CASES if DISTRIBUTIONS[case[0]].is_discrete]
BATCH = 40
# A failure names its row; to shrink forty of them takes minutes.
UNSHRUNK = settings(phases=[Phase.generate], suppress_health_check=list(HealthCheck))
# Their samplers take seconds to compile.
LONG = ("Gamma", "Beta", "StudentT", "HalfStudentT", "InverseGamma", "ChiSquared")
LONG += ("Binomial", "BetaBinomial", "NegativeBinomial")


def to_draw(cases):
    """Return the cases, all but the first of each distribution left for the slow tests."""
    first = dict(reversed(cases))
    return [
        case
        if case[0] not in LONG and first[case[0]] == case[1]
        else pytest.param(*case, marks=pytest.mark.slow)
        for case in cases
    ]


def of(name, parameters):
    return DISTRIBUTIONS[name](*parameters)


def test_every_distribution_of_numbers_is_in_these_tests():
    numbers = {
        name
        for name, leaf in DISTRIBUTIONS.items()
        if leaf.event_ndim is Distribution.event_ndim and not leaf.part_field and not leaf.parameter_ndims
    }
    assert numbers - {"Flat", "HalfFlat"} == set(ROWS) == set(USUAL) == set(LOG_DENSITIES)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_every_distribution_stands_at_the_front_door(name):
    assert getattr(exmc_actors, name) is getattr(ex, name) is DISTRIBUTIONS[name]


def differentiable(name):
    """Return the positions of what a log density may be differentiated in; 0 is the point."""
    first = {"Binomial": 2, "BetaBinomial": 2}.get(name, 1 if DISTRIBUTIONS[name].is_discrete else 0)
    return range(first, 1 + len(USUAL[name][-1]))


def values_and_slopes(name, rows):
    """Return log densities, and their slopes by position; all in one shape, for which JAX compiles once."""

    def total(x, *parameters):
        return of(name, parameters).log_prob(x)

    slopes_of = jax.value_and_grad(total, argnums=tuple(differentiable(name)))
    padded = [*rows, *[rows[0]] * (BATCH - len(rows))]
    columns = [np.array(column, dtype=float) for column in zip(*padded, strict=True)]
    values, slopes = jax.vmap(slopes_of)(*columns)
    return np.asarray(values)[: len(rows)], np.asarray(slopes)[:, : len(rows)]


def check(name, rows):
    values, slopes = values_and_slopes(name, rows)
    for i, row in enumerate(rows):
        value, size = log_density(name, *row)
        # Of terms that all but cancel, each is rounded.
        assert values[i] == pytest.approx(value, rel=1e-10, abs=1e-14 * (1 + size)), row
        exact = [slope(name, position, row) for position in differentiable(name)]
        for position, ours, wanted in zip(differentiable(name), slopes[:, i], exact, strict=True):
            rounding = 1e-14 * (1 + size) / (abs(row[position]) or 1e-300) + 1e-15 * max(map(abs, exact))
            assert ours == pytest.approx(wanted, rel=1e-8, abs=rounding), (row, position)


@pytest.mark.parametrize("name", ROWS)
@settings(UNSHRUNK, max_examples=2)
@given(data=st.data())
def test_agrees_with_mpmath_in_value_and_slopes(name, data):
    check(name, data.draw(st.lists(ROWS[name], min_size=BATCH, max_size=BATCH)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
@settings(UNSHRUNK, max_examples=15)
@given(data=st.data())
def test_agrees_with_mpmath_everywhere(name, data):
    check(name, data.draw(st.lists(ROWS[name], min_size=BATCH, max_size=BATCH)))


@pytest.mark.parametrize(("name", "parameters"), CONTINUOUS)
def test_has_mass_one_and_its_mean(name, parameters):
    distribution = of(name, parameters)
    x, slope_of_x = line_of(distribution)
    density = np.exp(np.asarray(distribution.log_prob(x))) * slope_of_x
    assert integral(density) == pytest.approx(1.0, abs=1e-8)
    mean = float(distribution.mean())
    if name == "VonMises":
        wanted = np.angle(integral(density * np.exp(1j * x)))
        assert parameters[1] == 0.0 or mean == pytest.approx(wanted, rel=1e-6)
    elif np.isfinite(mean):
        assert mean == pytest.approx(integral(density * x), rel=1e-6)


@pytest.mark.parametrize(("name", "parameters"), DISCRETE)
def test_sums_to_one_and_has_its_mean(name, parameters):
    distribution = of(name, parameters)
    counts = np.arange(5000)
    mass = np.exp(np.asarray(distribution.log_prob(counts)))
    assert mass.sum() == pytest.approx(1.0, rel=1e-9)
    assert float(distribution.mean()) == pytest.approx(mass @ counts, rel=1e-9)


@pytest.mark.parametrize(
    ("distribution", "mean"),
    [
        (ex.Cauchy(0.0, 1.0), np.nan),
        (ex.HalfCauchy(1.0), np.inf),
        (ex.StudentT(1.0, 2.0, 1.0), np.nan),
        (ex.HalfStudentT(1.0, 2.0), np.inf),
        (ex.InverseGamma(1.0, 2.0), np.inf),
        (ex.Pareto(1.0, 2.0), np.inf),
        (ex.TruncatedNormal(0.0, 1.0, 1e4), 1e4 + 1e-4 - 2e-12),
        (ex.TruncatedNormal(0.0, 1.0, None, -1e4), -1e4 - 1e-4 + 2e-12),
    ],
)
def test_means_that_are_infinite_undefined_or_far_out(distribution, mean):
    assert float(distribution.mean()) == pytest.approx(mean, rel=1e-15, nan_ok=True)


# A right sampler fails a case of these two tests with probability 1e-4; the seed is fixed.
@pytest.mark.parametrize(("name", "parameters"), to_draw(CONTINUOUS))
def test_draws_follow_the_log_density(name, parameters):
    distribution = of(name, parameters)
    draws = np.asarray(distribution.sample(jax.random.key(8), (4000,)))
    assert np.asarray(distribution.support.contains(draws)).all()
    x, slope_of_x = line_of(distribution)
    density = np.exp(np.asarray(distribution.log_prob(x))) * slope_of_x
    assert stats.kstest(draws, lambda points: distribution_function(x, density, points)).pvalue > 1e-4


@pytest.mark.parametrize(("name", "parameters"), to_draw(DISCRETE))
def test_draws_follow_the_log_probabilities(name, parameters):
    distribution, n = of(name, parameters), 4000
    draws = np.asarray(distribution.sample(jax.random.key(8), (n,)))
    assert draws.dtype.kind == "i"
    expected = n * np.exp(np.asarray(distribution.log_prob(np.arange(5000))))
    observed = np.bincount(draws, minlength=5000)
    assert not observed[expected == 0.0].any()
    often = expected > 8
    cells = [(observed[often], expected[often])]
    if expected[~often].sum() > 1e-6:
        cells.append(([observed[~often].sum()], [expected[~often].sum()]))
    counted, wanted = (np.concatenate(part) for part in zip(*cells, strict=True))
    chi_squared = ((counted - wanted) ** 2 / wanted).sum()
    assert len(counted) == 1 or stats.chi2(len(counted) - 1).sf(chi_squared) > 1e-4


@pytest.mark.parametrize("name", OUTSIDE)
def test_is_minus_infinity_outside_the_support_with_a_finite_gradient(name):
    values, slopes = values_and_slopes(name, [(x, *USUAL[name][0]) for x in OUTSIDE[name]])
    assert (values == -np.inf).all()
    assert np.isfinite(slopes).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "row", "value", "wanted"),
    [
        ("Bernoulli", (0, 0.0), 0.0, [-1.0]),
        ("Bernoulli", (1, 1.0), 0.0, [1.0]),
        ("Bernoulli", (0, 1.0), -np.inf, [-np.inf]),
        ("Poisson", (0, 0.0), 0.0, [-1.0]),
        ("Poisson", (2, 0.0), -np.inf, [np.inf]),
        ("Binomial", (0, 3, 0.0), 0.0, [-3.0]),
        ("Binomial", (3, 3, 1.0), 0.0, [3.0]),
        ("Geometric", (1, 1.0), 0.0, [1.0]),
        ("NegativeBinomial", (0, 0.0, 2.0), 0.0, [-1.0, 0.0]),
        ("ZeroInflatedPoisson", (0, 0.0, 3.0), 0.0, [np.expm1(-3.0), 0.0]),
        ("ZeroInflatedPoisson", (0, 1.0, 3.0), -3.0, [-np.expm1(3.0), -1.0]),
        ("ZeroInflatedPoisson", (0, 1.0, 800.0), -800.0, [-np.inf, -1.0]),
        ("ZeroInflatedPoisson", (0, 0.5, 0.0), 0.0, [0.0, -0.5]),
        ("BernoulliLogit", (1, 1e300), 0.0, [0.0]),
        ("BernoulliLogit", (0, 1e300), -1e300, [-1.0]),
        ("VonMises", (1.0, 0.0, 0.0), -np.log(2 * np.pi), [0.0, 0.0, np.cos(1.0)]),
    ],
)
def test_is_exact_at_the_edges_of_the_parameters(name, row, value, wanted):
    values, slopes = values_and_slopes(name, [row])
    assert values[0] == pytest.approx(value, rel=1e-13, abs=1e-15)
    assert slopes[:, 0] == pytest.approx(np.array(wanted), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("z", [-100.0, -30.0, 0.3, 39.0, 41.0, 100.0])
@pytest.mark.parametrize(
    "name", ["Gamma", "InverseGamma", "ChiSquared", "Weibull", "LogNormal", "Beta", "Kumaraswamy"]
)
def test_the_kernel_on_the_line_knows_what_the_point_is_rounded_to(name, z):
    parameters = USUAL[name][0]
    distribution = of(name, parameters)
    with mpmath.workdps(DIGITS):
        odds = mpmath.exp(mpmath.mpf(z))
        x = odds / (1 + odds) if isinstance(distribution.support, UnitInterval) else odds
    wanted, size = log_density(name, x, *parameters)
    kernel, slope_of_z = jax.value_and_grad(distribution.log_kernel_on_line)(z)
    ours = float(kernel - distribution.log_normaliser())
    assert ours == pytest.approx(wanted, rel=1e-10, abs=1e-14 * size)
    assert np.isfinite(slope_of_z)


@pytest.mark.parametrize("data", [np.array([True, False]), np.array([1, 0]), np.array([1.0, 0.0])])
@pytest.mark.parametrize("distribution", [ex.Bernoulli(0.3), ex.BernoulliLogit(-0.4), ex.Binomial(1, 0.3)])
def test_yes_and_no_may_be_booleans_integers_or_floats(distribution, data):
    p = float(distribution.mean())
    np.testing.assert_allclose(distribution.log_prob(data), np.log([p, 1 - p]), rtol=1e-14)


@pytest.mark.parametrize(
    "distribution", [ex.Cauchy(0.0, 1.0), ex.HalfCauchy(1.0), ex.StudentT(1.0, 0.0, 1.0)]
)
def test_a_square_beyond_the_largest_number_does_no_harm(distribution):
    value, slope_of_x = jax.value_and_grad(distribution.log_prob)(1e200)
    wanted = -2 * 200 * np.log(10.0) - np.log(np.pi) + np.log(2.0) * isinstance(distribution, ex.HalfCauchy)
    assert float(value) == pytest.approx(wanted, rel=1e-14)
    assert float(slope_of_x) == pytest.approx(-2e-200, rel=1e-12)


def test_large_parameters_of_a_beta_leave_its_normaliser_exact():
    assert float(ex.Beta(1e14, 2.0).log_normaliser()) == pytest.approx(-2 * np.log(1e14), rel=1e-13)


def test_a_student_t_has_its_slope_in_nu_where_its_series_begins():
    def at(nu):
        return ex.StudentT(nu, 0.0, 1.0).log_prob(0.7)

    difference = (at(40.0 + 1e-4) - at(40.0 - 1e-4)) / 2e-4
    assert float(jax.grad(at)(40.0)) == pytest.approx(float(difference), rel=1e-6)
