"""Observations that a pass solves, as users meet them: weights, predictions, bytes and other data."""

import zlib

import msgpack
import numpy as np
import pytest
from scipy import stats

import exmc_actors as ex
from exmc_actors.compiler import compile
from exmc_actors.compiler.passes import apply_passes
from exmc_actors.model import Normal
from exmc_actors.model.codec import HEADER

from ..conftest import build
from .measurements import CASES, LOG_DET, A, S, Y, model_of, student


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
