"""Observed affine and matrix functions against SciPy's densities of the variable they are solved for."""

import zlib

import msgpack
import numpy as np
import pytest
from scipy import stats

import exmc_actors as ex
from exmc_actors.compiler import compile
from exmc_actors.compiler.passes import apply_passes, measurable_operations
from exmc_actors.model import MvNormal, Normal
from exmc_actors.model.codec import HEADER

from ..conftest import build
from .conftest import folds, reports

Y = np.array([1.3, 2.1, 4.0])
M = np.array([0.5, -0.4, 1.0])
A = np.array([[2.0, 0.3, -0.5], [0.4, -1.5, 0.2], [0.1, 0.7, 3.0]])
COV = np.array([[2.0, 0.4, 0.1], [0.4, 1.0, 0.3], [0.1, 0.3, 1.5]])
LOG_DET = np.linalg.slogdet(A)[1]
S = 1.3
T = ex.StudentT(4.0, 0.2, 1.5)


def student(z):
    return stats.t.logpdf(z, 4.0, 0.2, 1.5).sum()


def gamma(z):
    return stats.gamma.logpdf(z, 2.0).sum()


def turned(s):
    """Return a matrix that depends on a variable, and needs pivots: its first entry is zero."""
    return ex.math.stack(
        [ex.math.stack([0.0, s, 1.0]), ex.math.stack([s, 0.5, 0.2]), ex.math.stack([0.1, 0.2, s * s])]
    )


TURNED = np.array([[0.0, S, 1.0], [S, 0.5, 0.2], [0.1, 0.2, S * S]])
MIXED = TURNED @ np.array([0.7, 1.1, 0.4])

CASES = {
    "m + s z": (
        Normal(0.0, 1.0),
        lambda s, z: 2.0 + s * z,
        lambda y: stats.norm.logpdf((y - 2) / S).sum() - 3 * np.log(S),
    ),
    "m - z": (T, lambda s, z: s * M - z, lambda y: student(S * M - y)),
    "-z": (T, lambda s, z: -z - s, lambda y: student(-y - S)),
    "z / s": (
        T,
        lambda s, z: z / (s * (M - 3.0)),
        lambda y: student(y * S * (M - 3)) + np.log(S * (3 - M)).sum(),
    ),
    "z s by rows": (
        ex.Cauchy(0.0, 2.0),
        lambda s, z: (z - 1.0) * -M * s,
        lambda y: stats.cauchy.logpdf(1 - y / M / S, 0, 2).sum() - np.log(np.abs(M) * S).sum(),
    ),
    "positive": (
        ex.Gamma(2.0, 1.0),
        lambda s, z: s * z / 2.0 - M,
        lambda y: gamma((y + M) * 2 / S) - 3 * np.log(S / 2),
    ),
    "positive, turned": (ex.Gamma(2.0, 1.0), lambda s, z: 5.0 * s - z, lambda y: gamma(5 * S - y)),
    "between": (
        ex.Uniform(0.0, 9.0),
        lambda s, z: z / s,
        lambda y: -3 * np.log(9.0) + 3 * np.log(S),
    ),
    "an event": (
        MvNormal(M, COV),
        lambda s, z: s * z + 1.0,
        lambda y: stats.multivariate_normal.logpdf((y - 1) / S, M, COV) - 3 * np.log(S),
    ),
    "A z": (T, lambda s, z: A @ z + s, lambda y: student(np.linalg.solve(A, y - S)) - LOG_DET),
    "m + A (c z)": (
        T,
        lambda s, z: s * M - 2.0 * ex.math.dot(A, s * z),
        lambda y: student(np.linalg.solve(A, (S * M - y) / 2) / S) - LOG_DET - 3 * np.log(2 * S),
    ),
    "z A": (T, lambda s, z: (z + s) @ A, lambda y: student(np.linalg.solve(A.T, y) - S) - LOG_DET),
    "A of an event": (
        MvNormal(M, COV),
        lambda s, z: A @ (s * z),
        lambda y: (
            stats.multivariate_normal.logpdf(np.linalg.solve(A, y) / S, M, COV) - LOG_DET - 3 * np.log(S)
        ),
    ),
    "A that depends": (
        ex.Exponential(1.0),
        lambda s, z: turned(s) @ z,
        lambda y: -np.linalg.solve(TURNED, y).sum() - np.linalg.slogdet(TURNED)[1],
    ),
}


def model_of(distribution, function, y=Y):
    def declare(b):
        s = b.rv("s", ex.HalfNormal(1.0))
        z = b.rv("z", distribution, shape=np.shape(y))
        b.obs("y", function(s, z), y)

    return build(declare)


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


@pytest.mark.filterwarnings("ignore::exmc_actors.SamplingWarning")  # few draws: what is compared is exact
def test_weights_count_rows_and_log_likelihoods_are_by_rows():
    weights = np.array([1.0, 0.0, 2.5])

    def declare(b):
        s = b.rv("s", ex.HalfNormal(1.0))
        z = b.rv("z", ex.Gamma(2.0, 1.0), shape=3)
        b.obs("y", s * z, Y, weights=weights)

    model = build(declare)
    program = compile(model)
    at = program.unconstrain({"s": np.float64(S)})
    rows = weights * (stats.gamma.logpdf(Y / S, 2.0) - np.log(S))
    np.testing.assert_allclose(program.terms(at)["y"], rows.sum(), rtol=1e-10)
    tree = ex.sample(model, draws=200, tune=100, chains=2, random_seed=1, progressbar=False)
    assert set(tree.posterior.data_vars) == {"s", "z"}
    s = tree.posterior["s"].values[..., None]
    np.testing.assert_allclose(tree.posterior["z"].values, Y / s, rtol=1e-12)
    found = ex.log_likelihood(tree, model)["log_likelihood"]["y"].values
    np.testing.assert_allclose(found, weights * (stats.gamma.logpdf(Y / s, 2.0) - np.log(s)), rtol=1e-10)


def test_a_vector_that_a_matrix_has_mixed_is_one_event():
    model = model_of(*CASES["A z"][:2])
    tree = ex.sample_prior_predictive(model, draws=5, random_seed=1)
    tree["posterior"] = tree["prior"]
    found = ex.log_likelihood(tree, model)["log_likelihood"]["y"].values
    s = tree["prior"]["s"].values[0]
    wanted = [student(np.linalg.solve(A, Y - one)) - LOG_DET for one in s]
    np.testing.assert_allclose(found, [wanted], rtol=1e-10)


def test_what_is_predicted_is_the_function_of_what_is_drawn():
    """Means and covariances within 5 standard errors: 12 comparisons, wrong alarm below 1e-5."""

    def declare(b):
        s = b.rv("s", ex.Uniform(0.5, 1.5))
        z = b.rv("z", ex.Exponential(1.0), shape=3)
        b.obs("y", s + A @ z, Y)
        b.rv("free", Normal(0.0, 1.0))

    model, count = build(declare), 40_000
    tree = ex.sample_prior_predictive(model, draws=count, random_seed=3)
    s, z = tree["prior"]["s"].values[0], tree["prior"]["z"].values[0]
    y = tree["prior_predictive"]["y"].values[0]
    np.testing.assert_allclose(y, s[:, None] + z @ A.T, rtol=1e-9, atol=1e-9)
    assert np.all(np.abs(z.mean(0) - 1.0) < 5 / np.sqrt(count))
    centred = y - (1.0 + A.sum(1))
    errors = centred.std(0) / np.sqrt(count)
    assert np.all(np.abs(centred.mean(0)) < 5 * errors)
    products = centred[:, :, None] * centred[:, None, :]
    wanted = A @ A.T + 1 / 12
    assert np.all(np.abs(products.mean(0) - wanted) < 5 * products.std(0) / np.sqrt(count))
    tree["posterior"] = tree["prior"]
    again = ex.sample_posterior_predictive(tree, model, random_seed=4)["posterior_predictive"]["y"].values[0]
    rest = again - s[:, None] - A.sum(1)
    assert np.all(np.abs(rest.mean(0)) < 5 * rest.std(0) / np.sqrt(count))


def test_it_travels_as_it_was_declared():
    model = model_of(*CASES["m + A (c z)"][:2])
    again = ex.Model.from_bytes(model.to_bytes())
    assert repr(again) == repr(model)
    assert again.key == model.key
    assert apply_passes(again)[0].key == apply_passes(model)[0].key
    assert '"z" -> "y"' in model.to_graphviz()
    assert model.observed_data["y"].tolist() == Y.tolist()


@pytest.mark.parametrize(
    ("at", "value", "sentence"),
    [
        (2, 0, "holds z 0 times"),
        (3, 0, "data must be an array"),
        (4, "nobody", "'nobody' is no random variable"),
        (4, "s", "is stretched to shape"),
        (4, 7, "str expected"),
    ],
)
def test_bytes_that_say_something_else_are_refused(at, value, sentence):
    data = model_of(Normal(0.0, 1.0), lambda s, z: 2.0 + s * z).to_bytes()
    mark, version, _ = HEADER.unpack_from(data)
    content = msgpack.unpackb(data[HEADER.size :])
    next(row for row in content["sites"] if row[0] == "measurement")[at] = value
    body = msgpack.packb(content)
    with pytest.raises(ex.ModelError, match=sentence):
        ex.Model.from_bytes(HEADER.pack(mark, version, zlib.crc32(body)) + body)


def test_other_data_are_held_to_the_support_too():
    model = model_of(ex.HalfNormal(1.0), lambda s, z: 1.0 + 2.0 * z)
    with pytest.raises(ex.ModelError, match=r"y: solved for z, entry \[0\] is -1.0, outside the support"):
        model.with_data(y=[-1.0, 2.0, 3.0])


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
