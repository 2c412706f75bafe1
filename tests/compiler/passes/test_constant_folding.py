"""What is known is computed beforehand, once, and the key knows nothing of it."""

import numpy as np
import pytest

import exmc_actors.model as ex
from exmc_actors.compiler import compile
from exmc_actors.compiler.passes import constant_folding
from exmc_actors.errors import ModelError
from exmc_actors.model import OPERATIONS, Apply, Constant
from exmc_actors.model.known import FUNCTIONS, Known
from exmc_actors.xla import precise

from ..conftest import build, eight_schools
from .conftest import assert_same, reports

X = np.random.default_rng(0).uniform(0.1, 0.9, (3, 3))
SETTINGS = {"axis": 0, "ddof": 1}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_numpy_computes_what_the_program_would(name):
    row = OPERATIONS[name]
    arguments = [array[0] if name == "outer" else array for array in (X, X.T + 0.1, X + 0.2)]
    arguments = arguments[: row.arguments or 2]
    settings = {setting: SETTINGS[setting] for setting in row.static}
    with precise():
        wanted = np.asarray(row.compute(*arguments, **settings))
    node = Apply(name, tuple(map(Constant, arguments)), tuple(settings.items()))
    np.testing.assert_allclose(Known({}).value(node), wanted, rtol=1e-14)


def standardised(x):
    def declare(b):
        raw = b.data("raw", x)
        z = b.det("z", (raw - ex.math.mean(raw, axis=0)) / 2.0)
        beta = b.rv("beta", ex.Normal(0.0, ex.math.exp(raw[0] * 0.1)))
        b.obs("y", ex.StudentT(4.0, ex.math.sin(z @ beta), 1.0), np.arange(len(x)))

    return build(declare)


def test_data_that_are_computed_with_are_computed_with_once():
    model = standardised(X)
    lines = reports(model)["constant_folding"]
    assert lines == (
        "z: 3 operations on known values made beforehand",
        "beta: 3 operations on known values made beforehand",
    )
    program = assert_same(model)
    assert any(np.array_equal(a, (X - X.mean(0)) / 2) for a in program.arguments)
    np.testing.assert_array_equal(program.constrain(np.zeros(3))["z"], (X - X.mean(0)) / 2)


def test_new_data_give_new_arrays_and_the_same_key():
    program = compile(standardised(X))
    other = program.with_data(raw=X**2)
    assert other.key == program.key
    assert_same(standardised(X).with_data(raw=X**2), points=1)


def test_numbers_stay_numbers_and_a_model_without_data_stays_the_same():
    model = build(lambda b: b.rv("x", ex.Normal(ex.math.exp(2.0) + 1.0, ex.math.sqrt(3.0))))
    assert constant_folding(model).model is model
    assert constant_folding(eight_schools()).lines == ()


def test_a_large_outer_product_is_not_kept_in_memory():
    def declare(b):
        x = b.data("x", np.arange(200.0))
        b.potential("p", x[:, None] * x * b.rv("a", ex.Normal(0.0, 1.0)))

    program = compile(build(declare))
    assert max(argument.size for argument in program.arguments) == 200
    assert program.terms([1.0])["p"] == pytest.approx(np.arange(200.0).sum() ** 2)


def test_a_chain_of_thousands_of_operations_is_folded_in_one_walk():
    def declare(b):
        total = b.data("x", np.ones(2))
        for _ in range(3000):
            total = total + 1.0
        b.potential("p", total * b.rv("a", ex.Normal(0.0, 1.0)))

    assert compile(build(declare)).terms([2.0])["p"] == 2 * 2 * 3001.0


def test_a_parameter_that_turns_out_impossible_is_refused_by_name():
    def declare(b):
        b.rv("x", ex.Normal(0.0, b.data("s", [1.0, 2.0]) - 1.5))

    with pytest.raises(ModelError, match=r"x: Normal: entry \[0\] of sigma must be positive, got -0.5"):
        compile(build(declare))


def test_a_recurrence_keeps_its_steps_and_takes_observations_by_value():
    def declare(b):
        phi = b.rv("phi", ex.Normal(0.0, 1.0))
        seen = b.obs("seen", ex.Normal(phi, 1.0), np.arange(50.0))
        weights = b.data("weights", np.full(50, 0.5)) * 2.0
        last, _ = ex.math.scan(
            lambda total, rows: (phi * total + rows[0] * rows[1], ()), 0.0, (seen, weights)
        )
        b.potential("p", last)

    assert_same(build(declare))


def test_an_observation_that_becomes_something_else_leaves_its_values_behind():
    def declare(b):
        s = b.rv("s", ex.HalfNormal(1.0))
        y = b.obs("y", ex.Normal(0.0, s), X[0])
        b.det("ratio", y / s)

    program = compile(build(declare))
    np.testing.assert_allclose(program.constrain(np.zeros(1))["ratio"], X[0], rtol=1e-15)
