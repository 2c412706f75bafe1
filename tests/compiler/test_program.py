import gc
import weakref

import numpy as np
import pytest

import exmc_actors.model as ex
from exmc_actors.compiler import compile, traced
from exmc_actors.compiler.functions import functions_of
from exmc_actors.errors import ModelError

from .conftest import SCHOOLS_SIGMA, SCHOOLS_Y, build, eight_schools

POINT = np.linspace(-1.0, 1.0, 10)


def refuses(match):
    return pytest.raises(ModelError, match=match)


def test_the_layout_follows_the_order_of_declaration(schools):
    assert schools.dim == 10
    assert schools.names == ("mu", "tau", "theta")
    assert [tuple(place) for place in schools.layout.places] == [
        ("mu", (), 0, 1),
        ("tau", (), 1, 1),
        ("theta", (8,), 2, 8),
    ]
    assert [tuple(place) for place in schools.values_layout.places][3:] == [("effect", (8,), 10, 8)]


def test_constrained_values_come_by_name_and_lead_back(schools):
    values = schools.constrain(POINT)
    assert list(values) == ["mu", "tau", "theta", "effect"]
    assert values["tau"] == pytest.approx(np.exp(POINT[1]), rel=1e-15)
    np.testing.assert_allclose(values["effect"], values["theta"] - values["mu"])
    np.testing.assert_allclose(schools.unconstrain(values), POINT, atol=1e-12)
    del values["effect"]
    np.testing.assert_allclose(schools.unconstrain(values), POINT, atol=1e-12)


def test_results_are_float64_arrays_that_may_be_written_to(schools):
    value, slope = schools.log_density_and_grad(POINT.astype(np.float32))
    assert type(value) is float
    for array in (slope, schools.constrain(POINT)["theta"], schools.unconstrain(schools.constrain(POINT))):
        assert array.dtype == np.float64
        array[0] = 0.0


def test_a_vector_of_another_length_is_refused(schools):
    with refuses(r"a vector of 10 numbers is expected, got shape \(3,\): unconstrain\(values\) makes one"):
        schools.log_density(np.zeros(3))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"tua": 1.0}, r"unknown variable 'tua': did you mean 'tau'\? Known: mu, tau, theta"),
        ({"theta": np.zeros(3)}, r"theta: a value of shape \(8,\) is expected, got shape \(3,\)"),
        ({"tau": -1.0}, r"tau: the value is -1.0, where no chain can be: it must be zero or positive"),
        ({"tau": 0.0}, "tau: the value is 0.0, where no chain can be"),
        (
            {"theta": np.r_[np.zeros(7), np.nan]},
            r"theta: entry \[7\] is nan, where no chain can be: it must be finite",
        ),
    ],
)
def test_values_without_an_unconstrained_point_are_refused(schools, change, sentence):
    values = {"mu": 0.0, "tau": 1.0, "theta": np.zeros(8)} | change
    with refuses(sentence):
        schools.unconstrain(values)


def test_a_missing_value_is_named(schools):
    with refuses("no value for tau, theta: every free variable needs one"):
        schools.unconstrain({"mu": 0.0})


def test_bounds_of_an_interval_are_named():
    program = compile(build(lambda b: b.rv("u", ex.Uniform(0.0, 2.0), shape=(1, 2))))
    with refuses(r"u: entry \[0, 1\] is 2.5, where no chain can be: it must be between 0.0 and 2.0"):
        program.unconstrain({"u": [[1.0, 2.5]]})


@pytest.mark.parametrize(
    ("transform", "distribution", "value", "sentence"),
    [
        (
            ex.transforms.Ordered(),
            ex.Normal(0.0, 1.0),
            [1.0, 0.0, 2.0],
            r"entry \[1\] is 0.0, .* it must be finite and above the entry before it",
        ),
        (
            ex.transforms.ZeroSum(),
            ex.Normal(0.0, 1.0),
            [1.0, 1.0, 2.0],
            r"the value is \[1.0, 1.0, 2.0\], .* it must be numbers that add up to 0",
        ),
        (
            ex.transforms.UnitVector(),
            ex.Flat(),
            [1.0, 1.0, 1.0],
            r"entry \[0\] is 1.0, .* it must be an entry of a vector of length 1",
        ),
    ],
)
def test_what_a_transform_asks_of_values_is_said(transform, distribution, value, sentence):
    program = compile(build(lambda b: b.rv("c", distribution, shape=3, transform=transform)))
    with refuses(f"c: {sentence}"):
        program.unconstrain({"c": value})


def test_a_leapfrog_step_is_reversible_and_second_order(schools):
    slope = schools.log_density_and_grad(POINT)[1]
    momentum, metric = np.cos(POINT), np.linspace(0.5, 2, 10)
    q, p, value, grad = schools.leapfrog(POINT, momentum, slope, 0.01, metric)
    half = momentum + 0.005 * slope
    np.testing.assert_allclose(q, POINT + 0.01 * metric * half, rtol=1e-14)
    np.testing.assert_allclose(p, half + 0.005 * grad, rtol=1e-14)
    assert value == schools.log_density(q)
    back = schools.leapfrog(q, p, grad, -0.01, metric)
    np.testing.assert_allclose(back[0], POINT, atol=1e-14)
    dense = schools.leapfrog(POINT, momentum, slope, 0.01, np.diag(metric))
    np.testing.assert_allclose(dense[0], q, rtol=1e-14)
    with refuses("inverse_metric must be 10 numbers or a square matrix, got shape"):
        schools.leapfrog(POINT, momentum, slope, 0.01, np.ones(3))


def other_schools(program):
    return program.with_data(y=SCHOOLS_Y[::-1])


def test_new_data_changes_the_density_and_not_the_key(schools):
    other = other_schools(schools)
    assert other.key == schools.key
    assert other.log_density(POINT) != schools.log_density(POINT)
    assert float(other.observed_data["y"][0]) == 12.0


@pytest.mark.usefixtures("exact")
def test_programs_of_one_key_are_interchangeable(schools):
    other = other_schools(schools)
    assert other.log_density_at(POINT, schools.arguments) == schools.log_density_at(POINT, schools.arguments)


def test_new_data_and_new_programs_add_no_trace(monkeypatch):
    traces = []

    def counted(structure, flat, arguments):
        traces.append(structure.key)
        return original(structure, flat, arguments)

    original = traced.log_density
    monkeypatch.setattr(traced, "log_density", counted)
    functions_of.cache_clear()
    first = compile(eight_schools())
    first.log_density_and_grad(POINT)
    assert len(traces) == 1
    other_schools(first).log_density_and_grad(POINT)
    compile(eight_schools()).log_density_and_grad(POINT)
    compile(ex.Model.from_bytes(eight_schools().to_bytes())).log_density_and_grad(POINT)
    assert len(traces) == 1


def test_a_compiled_function_holds_no_data(schools):
    arrays = {id(array) for array in (SCHOOLS_Y, SCHOOLS_SIGMA, *schools.arguments)}
    structure = schools._density.structure
    assert not any(isinstance(getattr(term, "value", None), np.ndarray) for term in structure.terms)
    assert not any(id(value) in arrays for term in structure.terms for value in vars(term).values())
    assert "array" not in repr(structure.terms)
    for function in (schools.log_density_at, schools.values_at):
        assert vars(function.__self__) == {"structure": structure}


def test_arguments_are_read_only_and_in_order_of_use(schools):
    np.testing.assert_array_equal(schools.arguments[0], SCHOOLS_Y)
    np.testing.assert_array_equal(schools.arguments[1], SCHOOLS_SIGMA)
    assert not any(array.flags.writeable for array in schools.arguments)


def test_data_dims_and_coordinates_are_at_hand():
    def declare(b):
        b.data("x", np.arange(2), dims="year")
        b.rv("theta", ex.Normal(0.0, 1.0), dims="year")

    program = compile(build(declare, year=[1999, 2000]))
    np.testing.assert_array_equal(program.constant_data["x"], [0, 1])
    for same in (program, program.with_data(x=[1, 2])):
        assert same.dims == {"x": ("year",), "theta": ("year",)}
        assert same.coords == {"year": (1999, 2000)}
    assert program.observed_data == {}
    assert program.init is None


def test_only_a_model_is_compiled():
    with refuses(r"compile takes a Model, got 3: a builder gives one by b\.model\(\)"):
        compile(3)


def test_a_model_is_compiled_once_and_its_program_goes_with_it():
    model = eight_schools()
    program = compile(model)
    assert compile(model) is program
    assert compile(eight_schools()) is not program
    gone = weakref.ref(model)
    del model, program
    gc.collect()
    assert gone() is None
