"""Reduced rows against all rows: values, gradients, conditioning, groups without rows, and new data."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import exmc_actors.model as ex
from exmc_actors.compiler import compile

from ..conftest import build, eight_schools, radon_like
from .conftest import Plain, assert_close, assert_same, folds, reports
from .linear_means import Parameters, several_means

SCALES = ("number", "variable", "expression", "known", "product")


def scale_of(kind, parameters, rows, rng):
    known = np.exp(0.3 * rng.normal(size=rows))
    return {
        "number": 0.7,
        "variable": parameters.c,
        "expression": ex.math.exp(parameters.a),
        "known": known,
        "product": known * parameters.c / 2.0,
    }[kind]


def check_linear_means(all_kinds, scales, rows, groups, seed, is_named):
    rng = np.random.default_rng(seed)

    def declare(b):
        parameters = Parameters(b, groups)
        for i, (kinds, scale) in enumerate(zip(all_kinds, scales, strict=True)):
            mean = parameters.mean(kinds, rows, rng)
            mean = b.det(f"mean_{i}", mean) if is_named else mean
            sigma = scale_of(scale, parameters, rows, rng)
            b.obs(f"y_{i}", ex.Normal(mean, sigma), rng.normal(size=rows))

    model = build(declare)
    assert len(reports(model)["gaussian_reduction"]) == len(all_kinds)
    assert_same(model)


linear_models = given(
    all_kinds=several_means,
    scales=st.lists(st.sampled_from(SCALES), min_size=4, max_size=4),
    rows=st.integers(120, 200),
    groups=st.integers(1, 9),
    seed=st.integers(0, 2**32 - 1),
    is_named=st.booleans(),
)


@pytest.mark.slow
@linear_models
@settings(max_examples=2)
def test_every_linear_mean_has_the_density_of_its_rows(**case):
    check_linear_means(**case)


@pytest.mark.slow
@linear_models
@settings(max_examples=10)
def test_many_linear_means_have_the_density_of_their_rows(**case):
    check_linear_means(**case)


def regression(x, y, **sigma):
    def declare(b):
        beta = b.rv("beta", ex.Normal(0.0, 1.0), shape=x.shape[1], **sigma)
        b.obs("y", ex.Normal(b.data("x", x) @ beta, 1.5), y)

    return build(declare)


def exactly(x, y, beta):
    """Return the log density of rows and prior in 50 digits."""
    with mpmath.workdps(50):
        beta, total = [mpmath.mpf(b) for b in beta.tolist()], mpmath.mpf(0)
        for row, value in zip(x.tolist(), y.tolist(), strict=True):
            z = (value - mpmath.fsum(a * b for a, b in zip(row, beta, strict=True))) / mpmath.mpf(1.5)
            total -= z * z / 2 + mpmath.log(1.5) + mpmath.log(2 * mpmath.pi) / 2
        return float(total - sum(b * b + mpmath.log(2 * mpmath.pi) for b in beta) / 2)


def test_columns_of_scales_from_1e_minus_8_to_1e8_lose_nothing():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(200, 5)) * 10.0 ** np.array([8, -8, 0, 4, -4])
    beta = rng.normal(size=5) / 10.0 ** np.array([8, -8, 0, 4, -4])
    y = x @ beta + rng.normal(size=200)
    program = assert_same(regression(x, y), spread=1e-3)
    assert program.log_density(beta) == pytest.approx(exactly(x, y, beta), rel=1e-12)


def test_columns_that_are_all_but_dependent_lose_nothing():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(200, 3))
    x = np.column_stack([x, x[:, 0], x[:, 1] + 1e-9 * x[:, 2], np.zeros(200)])
    y, beta = rng.normal(size=200), rng.normal(size=6)
    program = assert_same(regression(x, y))
    assert program.log_density(beta) == pytest.approx(exactly(x, y, beta), rel=1e-12)


def test_a_mean_far_from_zero_keeps_a_small_spread():
    y = 1e8 + np.random.default_rng(5).normal(size=300)

    def declare(b):
        b.obs("y", ex.Normal(b.rv("mu", ex.Flat()), 1.0), y)

    mu = 1e8 + 0.25
    with mpmath.workdps(50):
        exact = -sum((mpmath.mpf(v) - mu) ** 2 + mpmath.log(2 * mpmath.pi) for v in y.tolist()) / 2
    # A residual is rounded once in units of 1e8: 1.5e-8 each.
    assert compile(build(declare)).log_density([mu]) == pytest.approx(float(exact), rel=1e-7)


def grouped(positions, groups=6, weights=None):
    rng = np.random.default_rng(positions.size)
    weights = rng.normal(size=positions.size) if weights is None else weights

    def declare(b):
        level, slope = (b.rv(name, ex.Normal(0.0, 1.0), shape=groups) for name in ("level", "slope"))
        at, x = b.data("at", positions), b.data("x", weights)
        sigma = b.rv("sigma", ex.HalfNormal(1.0))
        b.obs("y", ex.Normal(level[at] + slope[at] * x, sigma), rng.normal(size=positions.size))

    return build(declare)


def test_groups_may_be_without_rows_or_have_too_few():
    positions = np.repeat([0, 1, 3, 4], [100, 1, 2, 97])
    program = assert_same(grouped(positions))
    assert reports(grouped(positions))["gaussian_reduction"] == (
        "y: 200 rows of a linear mean as 1 and 2 for each of 6 groups",
    )
    assert np.isfinite(program.log_density_and_grad(np.full(program.dim, 30.0))[1]).all()


def test_data_of_no_rows_leave_the_priors():
    assert_same(regression(np.zeros((0, 3)), np.zeros(0)))
    assert_same(grouped(np.zeros(0, np.int64)))


def test_within_a_group_columns_may_depend_on_each_other():
    positions = np.arange(200) % 6
    assert_same(grouped(positions, weights=np.where(positions < 3, 2.0, 0.0)))


def test_an_array_of_positions_that_is_written_twice_is_one_grouping():
    def declare(b):
        level, slope = (b.rv(name, ex.Normal(0.0, 1.0), shape=40) for name in ("level", "slope"))
        mean = level[np.arange(400) % 40] + slope[np.arange(400) % 40] * np.linspace(-1, 1, 400)
        b.obs("y", ex.Normal(mean, 1.0), np.zeros(400))

    assert reports(build(declare))["gaussian_reduction"] == (
        "y: 400 rows of a linear mean as 1 and 2 for each of 40 groups",
    )


def test_new_data_keep_the_program_and_give_the_density_of_their_own_rows():
    rng = np.random.default_rng(6)
    first = grouped(rng.integers(0, 6, 200))
    program = compile(first)
    changed = {"at": rng.integers(0, 2, 200), "x": np.zeros(200), "y": rng.normal(size=200)}
    other = program.with_data(**changed)
    assert other.key == program.key
    assert [a.shape for a in other.arguments] == [a.shape for a in program.arguments]
    assert_same(first.with_data(**changed))
    np.testing.assert_array_equal(other.observed_data["y"], changed["y"])


def test_a_repeated_axis_counts_as_groups():
    y = np.random.default_rng(7).normal(size=(5, 40))

    def declare(b):
        rows, columns = (
            b.rv("rows", ex.Normal(0.0, 1.0), shape=(5, 1)),
            b.rv("c", ex.Normal(0.0, 1.0), shape=40),
        )
        b.obs("by_row", ex.Normal(rows, 0.5), y)
        b.obs("by_column", ex.Normal(ex.math.exp(columns) + rows, 0.5), y)

    model = build(declare)
    assert reports(model)["gaussian_reduction"] == (
        "by_row: 200 rows of a linear mean as 1 and 1 for each of 5 groups",
        "by_column: 200 rows of a linear mean as 6 and 1 for each of 40 groups",
    )
    assert_same(model)


@pytest.mark.parametrize(
    "declare",
    [
        lambda b, x: ex.Normal(ex.math.exp(x[:, 0] * b), 1.0),
        lambda b, x: ex.Normal(b * x[:, 0], ex.math.exp(b * x[:, 1])),
        lambda b, x: ex.StudentT(4.0, b * x[:, 0], 1.0),
        lambda b, x: ex.Normal((b * x[:, 0]) * (b + x[:, 1] * b), 1.0),
    ],
)
def test_what_is_not_linear_or_not_normal_stays_as_it_is(declare):
    x = np.random.default_rng(8).normal(size=(100, 2))
    model = build(lambda b: b.obs("y", declare(b.rv("b", ex.Normal(0.0, 1.0)), x), x[:, 0]))
    assert reports(model)["gaussian_reduction"] == ()
    assert_same(model, points=1)


def test_rows_stay_where_their_reduction_would_cost_as_much():
    x = np.random.default_rng(9).normal(size=(30, 20))
    assert reports(regression(x, x[:, 0]))["gaussian_reduction"] == ()
    assert reports(eight_schools())["gaussian_reduction"] == ()


def test_an_observation_that_others_refer_to_is_reduced_all_the_same():
    rng = np.random.default_rng(10)

    def declare(b):
        mu = b.rv("mu", ex.Normal(0.0, 1.0))
        x = b.rv("x", ex.Normal(mu, 1.0), shape=50)
        x = b.obs("x_seen", x, rng.normal(size=50))
        b.obs("y", ex.Normal(mu * x, 1.0), rng.normal(size=50))
        b.det("both", ex.Reference("x") + x)

    model = build(declare)
    assert len(reports(model)["gaussian_reduction"]) == 2
    program = assert_same(model)
    np.testing.assert_array_equal(program.constrain([0.0])["both"], 2 * program.observed_data["x_seen"])


@pytest.mark.parametrize("unit", [1e-300, 1e-160, 1e-130, 1e160, 1e300])
@pytest.mark.parametrize("is_grouped", [False, True])
def test_data_in_extreme_units_keep_their_density(unit, is_grouped):
    rng = np.random.default_rng(12)
    x, y, positions = rng.normal(size=(200, 2)), unit * rng.normal(size=200), np.arange(200) % 7

    def declare(b):
        beta, level = (b.rv(name, ex.Normal(0.0, unit), shape=n) for name, n in (("beta", 2), ("level", 7)))
        mean = x @ beta + level[positions] if is_grouped else x @ beta + level[0]
        b.obs("y", ex.Normal(mean, b.rv("sigma", ex.HalfFlat())), y)

    model = build(declare)
    assert len(reports(model)["gaussian_reduction"]) == 1
    program, beta, level = compile(model), np.array([0.3, -0.2]), np.linspace(-1.0, 1.0, 7)
    flat = np.concatenate([unit * beta, unit * level, [np.log(1.5) + np.log(unit)]])
    effect = level[positions] if is_grouped else level[0]
    wanted = stats.norm.logpdf(y / unit, x @ beta + effect, 1.5).sum() - 200 * np.log(unit)
    assert program.terms(flat)["y"] == pytest.approx(wanted, rel=1e-12)
    assert_close(program.log_density_and_grad(flat), Plain(model)(flat))


@pytest.mark.parametrize("depth", [np.linspace(1.0, 2.0, 60), -np.linspace(1.0, 2.0, 60)])
def test_a_scale_may_be_the_product_of_two_negative_factors(depth):
    y = np.random.default_rng(11).normal(size=60)

    def declare(b):
        b.obs("y", ex.Normal(0.0, b.rv("slope", ex.Normal(0.0, 1.0)) * depth), y)

    model = build(declare)
    assert len(reports(model)["gaussian_reduction"]) == 1
    program = compile(model)
    possible = np.array([0.6]) * np.sign(depth[0])
    exact = stats.norm.logpdf(y, 0.0, np.abs(0.6 * depth)).sum() + stats.norm.logpdf(0.6)
    assert program.log_density(possible) == pytest.approx(exact, rel=1e-12)
    assert_close(program.log_density_and_grad(possible), Plain(model)(possible))
    for impossible in (-possible, [0.0]):
        assert not program.log_density(impossible) > -np.inf


def test_a_scale_that_is_negative_in_some_rows_is_impossible():
    depth = np.linspace(-1.0, 2.0, 60)

    def declare(b):
        b.obs("y", ex.Normal(0.0, b.rv("slope", ex.Normal(0.0, 1.0)) * depth), depth)

    program = compile(build(declare))
    for slope in (-0.5, 0.5):
        assert not program.log_density([slope]) > -np.inf


def test_a_reduced_model_folds_and_travels():
    program = compile(radon_like())
    assert folds(program)
    again = ex.Model.from_bytes(program._rewritten.to_bytes())
    assert_close(
        compile(again).log_density_and_grad(np.full(program.dim, 0.1)),
        program.log_density_and_grad(np.full(program.dim, 0.1)),
    )
    assert sum(argument.size for argument in program.arguments) < 3 * 85 + 20
