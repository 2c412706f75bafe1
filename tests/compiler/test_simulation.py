import numpy as np
import pytest

import exmc_actors.model as ex
from exmc_actors.compiler.over_draws import simulate
from exmc_actors.errors import ModelError
from exmc_actors.model.distributions import DISTRIBUTIONS
from exmc_actors.xla import precise
from tests.model.distributions.cases import USUAL

KEY = np.array([1, 2], np.uint32)


@pytest.fixture
def b():
    """A builder on which a location and a scale are declared."""
    builder = ex.Builder()
    builder.rv("mu", ex.Normal(0.0, 5.0))
    builder.rv("tau", ex.HalfNormal(5.0))
    return builder


def test_a_later_declaration_sees_the_simulated_observation(b):
    y = b.obs("y", ex.Normal("mu", 1.0), [1.0, 2.0])
    b.obs("x", ex.Normal(3.0 * y, 1e-9), [1.0, 2.0])
    b.det("twice", 2.0 * y)
    found = simulate(b.model(), ["y", "twice", "x"], KEY, 50)
    assert np.array_equal(found["twice"], 2.0 * found["y"])
    assert np.allclose(found["x"], 3.0 * found["y"], atol=1e-7)
    assert found["y"].std() > 1.0


def test_a_variable_that_was_observed_later_is_simulated_under_both_names(b):
    x = b.rv("x", ex.Normal("mu", 1.0), shape=2)
    b.det("twice", 2.0 * x)
    b.obs("y", x, [1.0, 2.0])
    found = simulate(b.model(), ["twice", "y"], KEY, 50)
    assert np.array_equal(found["twice"], 2.0 * found["y"])


def test_an_observation_that_is_an_index_picks_by_its_simulated_values(b):
    group = b.obs("group", ex.Bernoulli(0.5), [1, 0, 0])
    level = b.rv("level", ex.Normal(0.0, 1.0), shape=2)
    b.det("chosen", level[group])
    b.det("first", ex.math.concatenate([level, [7.0]])[group])
    b.obs("y", ex.Normal(level[group], 1e-9), np.zeros(3))
    found = simulate(b.model(), ["level", "group", "chosen", "first", "y"], KEY, 20)
    expected = np.take_along_axis(found["level"], found["group"], axis=1)
    assert np.array_equal(found["chosen"], expected)
    assert np.array_equal(found["first"], expected)
    np.testing.assert_allclose(found["y"], expected, atol=1e-7)
    assert len({tuple(row) for row in found["group"]}) > 4


def test_a_name_has_its_own_random_numbers_whatever_else_is_drawn(b):
    b.det("scale", ex.math.log("tau"))
    b.obs("y", ex.Normal("mu", 1.0), [1.0, 2.0])
    model = b.model()
    everything = simulate(model, ["mu", "tau", "scale", "y"], KEY, 30)
    assert np.array_equal(simulate(model, ["y"], KEY, 30)["y"], everything["y"])
    assert np.array_equal(simulate(model, ["scale"], KEY, 30)["scale"], everything["scale"])
    assert np.corrcoef(everything["y"].T)[0, 1] < 0.999


def test_a_given_value_is_taken_as_it_is(b):
    b.obs("y", ex.Normal("mu", 1e-9), [1.0, 2.0])
    mu = np.linspace(-1.0, 1.0, 7)
    found = simulate(b.model(), ["y"], KEY, 7, {"mu": mu})
    assert np.allclose(found["y"], mu[:, np.newaxis], atol=1e-7)


def test_counts_are_whole_numbers_and_the_rest_float64(b):
    b.obs("y", ex.Poisson("tau"), [1, 2])
    b.obs("z", ex.Normal("mu", 1.0), [1, 2])
    found = simulate(b.model(), ["y", "z"], KEY, 5)
    assert found["y"].dtype == np.int64
    assert found["z"].dtype == np.float64


@pytest.mark.parametrize("prior", [ex.Flat(), ex.HalfFlat()])
def test_an_improper_prior_is_refused_by_the_name_of_its_variable(b, prior):
    slope = b.rv("slope", prior)
    b.obs("y", ex.Normal(slope, 1.0), [1.0])
    with pytest.raises(ModelError, match=r"^slope: (Half)?Flat has no draws"):
        simulate(b.model(), ["y"], KEY, 5)


def test_an_improper_prior_is_no_matter_where_its_draws_are_given(b):
    slope = b.rv("slope", ex.Flat())
    b.obs("y", ex.Normal(slope, 1.0), [1.0])
    assert simulate(b.model(), ["y"], KEY, 5, {"slope": np.zeros(5)})["y"].shape == (5, 1)


FACTOR = np.linalg.cholesky(np.array([[2.0, 0.5, 0.1], [0.5, 1.0, 0.2], [0.1, 0.2, 0.5]]))
OF_EVENTS = {
    "MvNormal": lambda one: (ex.MvNormal(one * np.arange(3.0), chol=one * FACTOR), (4, 3)),
    "Dirichlet": lambda one: (ex.Dirichlet(one * np.array([0.5, 2.0, 3.0])), (4, 3)),
    "Multinomial": lambda one: (ex.Multinomial(10, one * np.array([0.2, 0.3, 0.5])), (4, 3)),
    "Mixture": lambda one: (ex.Mixture(one * np.array([0.2, 0.8]), [ex.Poisson(one), ex.Poisson(9.0)]), (4,)),
    "GaussianRandomWalk": lambda one: (ex.GaussianRandomWalk(one), (4, 6)),
    "LKJCholesky": lambda one: (ex.LKJCholesky(3, 2.0 * one), (4, 3, 3)),
}


@pytest.mark.slow
def test_every_distribution_is_simulated_with_parameters_that_are_computed():
    b = ex.Builder()
    one = b.rv("one", ex.Normal(1.0, 1e-200))  # which rounds to one, but not before it is drawn
    kinds = {name: (DISTRIBUTIONS[name](*_times(one, given[-1])), (3,)) for name, given in USUAL.items()}
    kinds |= {name: made(one) for name, made in OF_EVENTS.items()}
    for name, (distribution, shape) in kinds.items():
        discrete = any(part.is_discrete for part in ex.all_parts(distribution))
        start = np.zeros(shape) if name != "Geometric" else np.ones(shape)
        if name == "Multinomial":
            start = np.tile([2.0, 3.0, 5.0], (4, 1))
        b.obs(name, distribution, start) if discrete else b.rv(name, distribution, shape=shape)
    found = simulate(b.model(), list(kinds), KEY, 20)
    for name, (distribution, shape) in kinds.items():
        plain = ex.map_parameters(distribution, _without)
        assert found[name].shape == (20, *shape)
        with precise():
            assert np.all(plain.support.contains(found[name])), name


def _times(one, parameters):
    return [None if parameter is None else one * parameter for parameter in parameters]


def _without(value):
    """Return the number or the array that is multiplied with one."""
    if isinstance(value, ex.Apply):
        value = next(part for part in value.arguments if not isinstance(part, ex.Reference))
    if isinstance(value, ex.Reference):
        return 1.0
    return value.array if isinstance(value, ex.Constant) else getattr(value, "value", value)
