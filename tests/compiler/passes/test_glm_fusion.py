"""Fused rows against all rows, for both links, and where plain formulas overflow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import exmc_actors.model as ex
from exmc_actors.compiler import compile

from ..conftest import build
from .conftest import assert_same, folds, reports
from .linear_means import Parameters, several_means


def observe(b, name, link, eta, rng, rows):
    if link == "logit":
        b.obs(name, ex.BernoulliLogit(eta), rng.integers(0, 2, rows))
    else:
        b.obs(name, ex.Poisson(ex.math.exp(eta)), rng.poisson(2.0, rows))


def check_predictors(all_kinds, links, rows, groups, seed):
    rng = np.random.default_rng(seed)

    def declare(b):
        parameters = Parameters(b, groups)
        for i, (kinds, link) in enumerate(zip(all_kinds, links, strict=True)):
            eta = b.det(f"eta_{i}", parameters.mean(kinds, rows, rng))
            observe(b, f"y_{i}", link, eta, rng, rows)

    model = build(declare)
    fused = reports(model)["glm_fusion"]
    assert len(fused) == sum(kinds != ["offset"] * len(kinds) for kinds in all_kinds)
    assert_same(model, spread=0.5)


predictors = given(
    all_kinds=several_means,
    links=st.lists(st.sampled_from(["logit", "log"]), min_size=4, max_size=4),
    rows=st.integers(20, 300),
    groups=st.integers(1, 9),
    seed=st.integers(0, 2**32 - 1),
)


@pytest.mark.slow
@predictors
@settings(max_examples=2)
def test_every_predictor_has_the_density_of_its_rows(**case):
    check_predictors(**case)


@pytest.mark.slow
@predictors
@settings(max_examples=10)
def test_many_predictors_have_the_density_of_their_rows(**case):
    check_predictors(**case)


def regression(link, rows=300):
    rng = np.random.default_rng(rows)

    def declare(b):
        alpha, beta = b.rv("alpha", ex.Normal(0.0, 1.0)), b.rv("beta", ex.Normal(0.0, 1.0), shape=4)
        eta = alpha + b.data("x", rng.normal(size=(rows, 4))) @ beta
        observe(b, "y", link, eta, rng, rows)

    return build(declare)


@pytest.mark.slow
@pytest.mark.parametrize("link", ["logit", "log"])
def test_a_regression_is_one_product_that_folds_and_takes_new_data(link):
    model = regression(link)
    assert reports(model)["glm_fusion"] == ("y: 300 rows of a linear predictor as one product",)
    program = assert_same(model)
    assert folds(program)
    rng = np.random.default_rng(1)
    changed = {"x": rng.normal(size=(300, 4)), "y": np.zeros(300, int)}
    other = program.with_data(**changed)
    assert other.key == program.key
    assert_same(model.with_data(**changed), points=1)
    np.testing.assert_array_equal(other.observed_data["y"], changed["y"])
    assert compile(ex.Model.from_bytes(program._rewritten.to_bytes())).log_density(np.ones(5)) == (
        program.log_density(np.ones(5))
    )


@pytest.mark.parametrize("link", ["logit", "log"])
@pytest.mark.parametrize("is_scalar", [True, False])
def test_rows_that_differ_by_their_group_alone_are_counted(link, is_scalar):
    rng = np.random.default_rng(2)
    positions = rng.choice([0, 1, 3], 200)

    def declare(b):
        level, alpha = b.rv("level", ex.Normal(0.0, 1.0), shape=4), b.rv("alpha", ex.Normal(0.0, 1.0))
        observe(b, "y", link, alpha if is_scalar else level[positions] + alpha, rng, 200)

    model = build(declare)
    assert reports(model)["glm_fusion"] == (f"y: 200 rows counted in {1 if is_scalar else 4} groups",)
    program = assert_same(model)
    flat = np.zeros(5)
    flat[2] = 800.0  # of a group without rows, where exp overflows
    value, slope = program.log_density_and_grad(flat)
    assert np.isfinite(value)
    assert np.isfinite(slope).all()


def test_exposures_stay_with_the_groups():
    rng = np.random.default_rng(3)
    exposure, positions = rng.exponential(size=200), np.arange(200) % 5

    def declare(b):
        level = b.rv("level", ex.Normal(0.0, 1.0), shape=5)
        b.obs("y", ex.Poisson(ex.math.exp(level[positions] + np.log(exposure))), rng.poisson(exposure))

    model = build(declare)
    assert reports(model)["glm_fusion"] == ("y: 200 rows counted in 5 groups",)
    assert_same(model)


def test_what_was_all_but_certain_keeps_its_small_loss():
    def declare(b):
        beta = b.rv("beta", ex.Flat())
        b.obs("y", ex.BernoulliLogit(beta * np.array([1.0, -1.0, 2.0])), [1, 0, 1])

    program = compile(build(declare))
    for beta in (30.0, 300.0):
        exact = 2 * np.log1p(np.exp(-beta)) + np.log1p(np.exp(-2 * beta))
        assert program.log_density([beta]) == pytest.approx(-exact, rel=1e-12)
    value, slope = program.log_density_and_grad([-800.0])
    assert value == -3200.0
    np.testing.assert_allclose(slope, [4.0])


def test_a_count_of_zero_where_the_rate_underflows_is_certain():
    def declare(b):
        beta = b.rv("beta", ex.Flat())
        b.obs("y", ex.Poisson(ex.math.exp(beta * np.array([1.0, 2.0, 3.0]))), [0, 0, 1])

    program = compile(build(declare))
    assert program.log_density([-900.0]) == -2700.0
    rates = np.exp(0.3 * np.arange(1.0, 4.0))
    assert program.log_density([0.3]) == pytest.approx(
        stats.poisson.logpmf([0, 0, 1], rates).sum(), rel=1e-13
    )


def test_another_link_stays_as_it_is():
    def declare(b):
        rate = b.rv("rate", ex.HalfNormal(1.0))
        b.obs("y", ex.Poisson(rate * np.ones(3)), [0, 1, 2])

    assert reports(build(declare))["glm_fusion"] == ()


def poisson_regression(offset, y, is_scalar=False, groups=None):
    x = np.random.default_rng(4).normal(size=(y.size, 2))

    def declare(b):
        beta = b.rv("beta", ex.Normal(0.0, 1.0), shape=2)
        eta = beta[0] if is_scalar else x @ beta if groups is None else x @ beta + groups(b)
        b.obs("y", ex.Poisson(ex.math.exp(eta + offset)), y)

    return build(declare), x


def exposures_of_which_one_is_zero():
    exposure = np.linspace(0.5, 2.0, 40)
    exposure[3] = 0.0
    return exposure, np.where(exposure > 0.0, np.arange(40) % 3, 0)


@pytest.mark.parametrize("is_scalar", [True, False])
def test_a_count_of_zero_at_an_exposure_of_zero_is_certain(is_scalar):
    exposure, y = exposures_of_which_one_is_zero()
    with np.errstate(divide="ignore"):
        model, x = poisson_regression(np.log(exposure), y, is_scalar)
    assert len(reports(model)["glm_fusion"]) == 1
    program, beta = assert_same(model), np.array([0.3, -0.2])
    rate = exposure * np.exp(beta[0] if is_scalar else x @ beta)
    exact = stats.poisson.logpmf(y, rate).sum() + stats.norm.logpdf(beta).sum()
    assert program.log_density(beta) == pytest.approx(exact, rel=1e-12)
    impossible = program.with_data(y=y + 1)
    assert impossible.log_density(beta) == -np.inf


@pytest.mark.parametrize("far", [800.0, -800.0])
@pytest.mark.parametrize("is_grouped", [True, False])
def test_counts_by_groups_stay_numbers_where_the_exponential_of_an_offset_is_none(far, is_grouped):
    positions, offset = np.arange(40) % 2, np.linspace(0.0, 1.0, 40)

    def declare(b):
        level = b.rv("level", ex.Normal(0.0, 1000.0), shape=2)
        effect = level[positions] if is_grouped else level[0]
        b.obs("y", ex.Poisson(ex.math.exp(effect + (far + offset))), positions + 1)

    level = np.array([0.3, 0.7])
    expected = stats.poisson.logpmf(
        positions + 1, np.exp((level[positions] if is_grouped else level[0]) + offset)
    )
    model = build(declare)
    assert any("counted" in line for line in reports(model)["glm_fusion"])
    prior = stats.norm.logpdf(level - far, 0.0, 1000.0).sum()
    assert compile(model).log_density(level - far) == pytest.approx(expected.sum() + prior, rel=1e-11)


def never_and(b, positions):
    level = b.rv("level", ex.Normal(0.0, 1.0), shape=2)
    return ex.math.concatenate([np.array([-np.inf]), level])[positions]


@pytest.mark.parametrize("rows", [6, 60])
def test_a_group_that_never_has_an_event_may_lack_one(rows):
    positions = np.arange(rows) % 3
    y = np.where(positions > 0, np.arange(rows) % 2, 0)
    never = build(lambda b: b.obs("y", ex.BernoulliLogit(never_and(b, positions)), y))
    level = np.array([0.4, -0.7])
    probability = np.concatenate([[0.0], 1.0 / (1.0 + np.exp(-level))])[positions]
    exact = stats.bernoulli.logpmf(y, probability).sum() + stats.norm.logpdf(level).sum()
    program = assert_same(never)
    assert program.log_density(level) == pytest.approx(exact, rel=1e-12)
    assert program.with_data(y=np.ones(rows, int)).log_density(level) == -np.inf


@pytest.mark.parametrize("is_alone", [True, False])
def test_a_group_whose_rate_is_zero_may_lack_counts(is_alone):
    positions = np.arange(60) % 3
    y = np.where(positions > 0, np.arange(60) % 4, 0)
    model = build(lambda b: b.obs("y", ex.Poisson(ex.math.exp(never_and(b, positions))), y))
    if not is_alone:
        model, _ = poisson_regression(0.0, y, groups=lambda b: never_and(b, positions))
    program = assert_same(model)
    assert np.isfinite(program.log_density(np.zeros(program.dim)))
    assert program.with_data(y=y + 1).log_density(np.zeros(program.dim)) == -np.inf
