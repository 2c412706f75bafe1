"""Observed affine and matrix functions against SciPy's densities of the variable they are solved for."""

import numpy as np
import pytest
from scipy import stats

import exmc_actors as ex
from exmc_actors.compiler import compile
from exmc_actors.compiler.passes import measurable_operations
from exmc_actors.model import Normal

from ..conftest import build
from .conftest import folds, reports
from .measurements import CASES, MIXED, TURNED, A, M, S, Y, model_of


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_density_is_that_of_what_is_solved_for(name):
    distribution, function, exact = CASES[name]
    y = MIXED if name == "A that depends" else Y
    program = compile(model_of(distribution, function, y))
    at = program.unconstrain({"s": np.float64(S)})
    np.testing.assert_allclose(program.terms(at)["y"], exact(y), rtol=1e-10)
    assert program.names == ("s",)
    slope = program.log_density_and_grad(at)[1]
    ends = [program.log_density(at + h) for h in (1e-5, -1e-5)]
    np.testing.assert_allclose(slope[0], (ends[0] - ends[1]) / 2e-5, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", ["m + s z", "z / s", "m + A (c z)", "A that depends"])
def test_the_variable_is_reported_as_what_it_must_have_been(name):
    distribution, function, _ = CASES[name]
    program = compile(model_of(distribution, function))
    z = program.constrain(program.unconstrain({"s": np.float64(S)}))["z"]
    matrix = {"m + A (c z)": A, "A that depends": TURNED}.get(name)
    wanted = {
        "m + s z": lambda: (Y - 2) / S,
        "z / s": lambda: Y * S * (M - 3),
        "m + A (c z)": lambda: np.linalg.solve(matrix, (S * M - Y) / 2) / S,
        "A that depends": lambda: np.linalg.solve(matrix, Y),
    }[name]()
    np.testing.assert_allclose(z, wanted, rtol=1e-12)


@pytest.mark.parametrize("name", ["positive, turned", "A that depends"])
def test_outside_the_support_there_is_no_density_and_no_nan(name):
    distribution, function, _ = CASES[name]
    program = compile(model_of(distribution, function, np.array([1.0, -9.0, 9.0])))
    value, slope = program.log_density_and_grad(program.unconstrain({"s": np.float64(S)}))
    assert value == -np.inf
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("name", ["positive", "an event", "A of an event", "A that depends"])
def test_everything_folds(name):
    distribution, function, _ = CASES[name]
    assert folds(compile(model_of(distribution, function)))


def test_location_and_scale_stay_in_the_family():
    model = model_of(Normal(0.0, 1.0), lambda s, z: 2.0 - s * z)
    rewritten, lines = measurable_operations(model).model, reports(model)
    assert [str(site) for site in rewritten.sites] == [
        "s ~ HalfNormal(1.0)",
        "y ~ Normal(2.0, abs(s)) observed",
        "z = (-(y - 2.0)) / s",
    ]
    assert lines["measurable_operations"] == ("y: solved for z = (-(y - 2.0)) / s",)
    assert lines["gaussian_reduction"] == ("y: 3 rows of a linear mean as 1",)


def test_what_is_solved_for_needs_no_observation_that_a_later_pass_has_summed_up():
    program = compile(model_of(Normal(0.0, 1.0), lambda s, z: s * z))
    at = program.unconstrain({"s": np.float64(S)})
    np.testing.assert_allclose(program.constrain(at)["z"], Y / S, rtol=1e-12)
    wanted = stats.norm.logpdf(Y, 0.0, S).sum()
    np.testing.assert_allclose(program.terms(at)["y"], wanted, rtol=1e-10)


def test_a_known_matrix_is_inverted_once_and_new_data_compile_nothing():
    def declare(b):
        matrix = b.data("matrix", A)
        s = b.rv("s", ex.HalfNormal(1.0))
        z = b.rv("z", ex.StudentT(4.0, 0.0, 1.0), shape=3)
        b.obs("y", s + matrix @ z, Y)

    program = compile(build(declare))
    other = program.with_data(matrix=2.0 * A.T, y=Y + 1.0)
    assert any(np.allclose(array, np.linalg.inv(A)) for array in program.arguments if array.ndim == 2)
    assert other.key == program.key
    at = program.unconstrain({"s": np.float64(S)})
    z = np.linalg.solve(2 * A.T, Y + 1 - S)
    wanted = stats.t.logpdf(z, 4).sum() - np.linalg.slogdet(2 * A)[1]
    np.testing.assert_allclose(other.terms(at)["y"], wanted, rtol=1e-10)


def test_the_last_variable_that_fits_is_solved_for():
    def declare(b):
        level = b.rv("level", Normal(0.0, 1.0))
        z = b.rv("z", Normal(0.0, 1.0), shape=3)
        spread = b.rv("spread", ex.HalfNormal(1.0))
        b.obs("y", level + spread * z, Y)

    assert [site.name for site in build(declare).free] == ["level", "spread"]


def test_whichever_is_solved_for_the_posterior_is_the_same():
    """The density of (s, y) where z is solved for, and of (z, y) where s is, differ by |ds / dz| alone."""

    def ordered(names):
        def declare(b):
            for name in names:
                b.rv(name, ex.Gamma(2.0, 1.0) if name == "s" else ex.Exponential(0.5))
            b.obs("y", ex.math.dot("s", "z"), 3.0)

        return compile(build(declare))

    by_z, by_s = ordered(["s", "z"]), ordered(["z", "s"])
    assert (by_z.names, by_s.names) == (("s",), ("z",))
    # On logarithmic scales ds / s = -dz / z.
    one = by_z.log_density(by_z.unconstrain({"s": np.float64(S)}))
    other = by_s.log_density(by_s.unconstrain({"z": np.float64(3.0 / S)}))
    np.testing.assert_allclose(one, other, rtol=1e-12)


def test_larger_matrices_go_to_lapack():
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(70, 70))
    y = rng.normal(size=70)
    for by_hand in (1.0, None):
        program = compile(model_of(Normal(0.0, 1.0), lambda s, z, c=by_hand: (c or s) * matrix @ z + s, y))
        at = program.unconstrain({"s": np.float64(S)})
        scale = by_hand or S
        wanted = stats.norm.logpdf(np.linalg.solve(scale * matrix, y - S)).sum()
        wanted -= np.linalg.slogdet(scale * matrix)[1]
        np.testing.assert_allclose(program.terms(at)["y"], wanted, rtol=1e-10)
