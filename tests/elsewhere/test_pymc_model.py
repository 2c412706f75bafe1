"""PyMC's models have PyMC's own log densities, gradients and values."""

import functools
import os

import numpy as np
import pytest

import exmc_actors as ex
from tests.elsewhere.agreement import check_log_density, check_posterior, check_values, points
from tests.elsewhere.data import COUNTS, GROUP, GROUPS, KINDS, PAIRS, SCHOOLS_SIGMA, SCHOOLS_Y, X, Y

pm = pytest.importorskip("pymc", reason="PyMC is not installed: pip install 'exmc-actors[pymc]'")
pt = pytest.importorskip("pytensor.tensor")
# Said once in a process, by PyTensor without a BLAS of its own.
pytestmark = pytest.mark.filterwarnings("ignore:PyTensor could not link to a BLAS")
TOO_FEW_DRAWS = A_DIVERGENCE_OR_TWO = pytest.mark.filterwarnings("ignore::exmc_actors.errors.SamplingWarning")


def schools():
    with pm.Model(coords={"school": list("abcdefgh")}) as model:
        sigma = pm.Data("sigma", SCHOOLS_SIGMA, dims="school")
        mu, tau = pm.Normal("mu", 0.0, 5.0), pm.HalfNormal("tau", 5.0)
        z = pm.Normal("z", 0.0, 1.0, dims="school")
        theta = pm.Deterministic("theta", mu + tau * z, dims="school")
        pm.Normal("y", theta, sigma, observed=SCHOOLS_Y, dims="school")
    return model


def regression():
    with pm.Model(coords={"group": range(GROUPS), "slope": ["a", "b"]}) as model:
        slopes = pm.Normal("slopes", 0.0, 2.0, dims="slope")
        tau, sigma = pm.HalfNormal("tau", 1.0), pm.Exponential("sigma", 1.0)
        level = pm.StudentT("level", nu=4.0, mu=0.0, sigma=tau, dims="group")
        pm.Normal("y", level[GROUP] + X @ slopes, sigma, observed=Y)
    return model


def supports():
    with pm.Model() as model:
        scales = pm.Gamma("scales", 2.0, 2.0, shape=3)
        cuts = pm.Normal(
            "cuts", 0.0, 1.0, shape=3, transform=pm.distributions.transforms.ordered, initval=[-1.0, 0.0, 1.0]
        )
        low = pm.Uniform("low", -1.0, 1.0)
        inside = pm.Uniform("inside", low, 2.0)
        factor, _, _ = pm.LKJCholeskyCov("factor", n=3, eta=1.5, sd_dist=pm.HalfNormal.dist(1.0, shape=3))
        shares = pm.Dirichlet("shares", np.array([1.0, 2.0, 0.5]))
        mean = cuts * inside + shares
        pm.MvNormal("pairs", mean, chol=scales[:, None] * factor, observed=PAIRS)
    return model


def discrete():
    with pm.Model() as model:
        rate = pm.LogNormal("rate", 1.0, 1.0)
        logits = pm.Normal("logits", 0.0, 1.0, shape=2)
        pm.Poisson("counts", rate, observed=COUNTS)
        pm.Categorical("kinds", logit_p=pt.concatenate([logits, [0.0]]), observed=KINDS)
        pm.Potential("penalty", -pt.sum(logits**2) * rate)
    return model


MODELS = {"schools": schools, "regression": regression, "supports": supports, "discrete": discrete}
SLOW = ("discrete", "supports")
NAMES = [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in MODELS]


@functools.cache
def made(name):
    """Return a model of PyMC's and its target, made once."""
    model = MODELS[name]()
    return model, ex.from_pymc(model)


def point_of(model, target, flat):
    values = target.layout.unflatten(flat).values()
    return {variable.name: value for variable, value in zip(model.value_vars, values, strict=True)}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_log_density_and_its_gradient_are_pymcs(name):
    model, target = made(name)
    log_density = model.compile_logp(mode="FAST_COMPILE")
    gradient = model.compile_dlogp(mode="FAST_COMPILE")

    def library(points):
        by_name = [point_of(model, target, q) for q in points]
        return np.array([log_density(p) for p in by_name]), np.array([gradient(p) for p in by_name])

    check_log_density(target, library)


@pytest.mark.parametrize("name", NAMES)
def test_the_values_are_pymcs(name):
    model, target = made(name)
    names = [v.name for v in model.unobserved_value_vars]
    constrain = model.compile_fn(model.unobserved_value_vars, inputs=model.value_vars, mode="FAST_COMPILE")

    def library(q):
        return dict(zip(names, constrain(point_of(model, target, q)), strict=True))

    check_values(target, library)


def test_names_dims_coords_data_and_start_are_those_of_the_model():
    model, target = made("schools")
    assert target.values_layout.names == ("mu", "tau", "z", "theta")
    assert target.dims == dict.fromkeys(("sigma", "z", "theta", "y"), ("school",))
    assert target.coords == {"school": tuple("abcdefgh")}
    np.testing.assert_array_equal(target.observed_data["y"], SCHOOLS_Y)
    np.testing.assert_array_equal(target.constant_data["sigma"], SCHOOLS_SIGMA)
    start = model.initial_point()
    np.testing.assert_array_equal(target.init, np.concatenate([np.ravel(v) for v in start.values()]))
    assert target.jitter == 1.0
    assert repr(target) == "<PyMC model of 10 unconstrained numbers: mu, tau, z>"


def test_dates_stay_dates_and_labels_that_no_file_can_hold_are_refused_where_they_are_used():
    days = np.arange("2020-01-01", "2020-01-04", dtype="M8[D]")
    with pm.Model(coords={"day": days, "pair": [(1, "a"), (2, "b")]}) as model:
        pm.Normal("x", dims="day")
    assert ex.from_pymc(model).coords == {"day": tuple(days)}
    with model:
        pm.Normal("z", dims="pair")
    with pytest.raises(ex.ModelError, match=r"the labels of 'pair' cannot be stored, \(1, 'a'\) among them"):
        ex.from_pymc(model)


def test_each_term_has_the_name_of_its_variable():
    model, target = made("discrete")
    terms = target.terms(np.zeros(3))
    assert list(terms) == ["rate", "logits", "counts", "kinds", "penalty"]
    expected = [v(point_of(model, target, np.zeros(3))) for v in map(model.compile_logp, [model["rate"]])]
    assert terms["rate"] == pytest.approx(float(expected[0]), rel=1e-12)


def test_a_support_that_depends_on_another_variable_follows_what_is_given():
    with pm.Model() as model:
        low = pm.Uniform("low", -1.0, 1.0)
        pm.Uniform("inside", low, 2.0)
    target = ex.from_pymc(model)
    around = points(target)[0]
    start = target.unconstrain({"low": 0.9}, around=around)
    values = target.constrain(start)
    assert values["low"] == pytest.approx(0.9, rel=1e-12)
    assert 0.9 < values["inside"] < 2.0
    assert np.sum(start != around) == 1
    both = target.unconstrain({"low": 0.9, "inside": 1.0}, around=around)
    assert target.constrain(both)["inside"] == pytest.approx(1.0, rel=1e-9)
    with pytest.raises(
        ex.ModelError, match=r"inside: the value is 0\.5, where no chain can be: it must be in"
    ):
        target.unconstrain({"low": 0.9, "inside": 0.5}, around=around)


def test_bounds_may_depend_on_variables_whose_bounds_depend_on_others():
    with pm.Model() as model:
        low = pm.Uniform("low", 0.0, 1.0)
        middle = pm.Uniform("middle", low, 2.0)
        pm.Uniform("high", middle, 3.0)
    target = ex.from_pymc(model)
    start = target.unconstrain({"low": 0.5, "high": 2.5}, around=[0.1, 0.2, 0.3])
    values = target.constrain(start)
    assert (values["low"], values["high"]) == (pytest.approx(0.5), pytest.approx(2.5))
    assert start[1] == 0.2


def test_a_parameter_out_of_its_bounds_gives_minus_infinity_as_pymcs_own_functions_do():
    with pm.Model() as model:
        scale = pm.Normal("scale", 0.0, 1.0)
        pm.Normal("y", 0.0, scale, observed=[1.0, 2.0])
    target = ex.from_pymc(model)
    assert target.log_density([-1.0]) == model.compile_logp(mode="FAST_COMPILE")({"scale": -1.0}) == -np.inf
    value, slope = target.log_density_and_grad([0.5])
    assert np.isfinite([value, *slope]).all()


def test_missing_observations_become_variables_as_pymc_makes_them():
    with pm.Model() as model:
        mu = pm.Normal("mu", 0.0, 1.0)
        with pytest.warns(match="[Ii]mput"):
            pm.Normal("y", mu, 1.0, observed=np.ma.masked_invalid([0.5, np.nan, 1.5]))
    target = ex.from_pymc(model)
    assert target.values_layout.names == ("mu", "y_unobserved", "y")
    assert target.values_layout.places[-1].shape == (3,)


def test_neither_the_environment_nor_the_data_of_the_model_matter_afterwards():
    flags = os.environ.get("XLA_FLAGS")
    model = schools()
    target = ex.from_pymc(model)
    assert os.environ.get("XLA_FLAGS") == flags
    q = points(target)[0]
    before = target.log_density(q)
    with model:
        pm.set_data({"sigma": np.ones(8)})
    assert target.log_density(q) == before


@pytest.mark.slow
@TOO_FEW_DRAWS
def test_a_model_that_indexes_by_groups_folds():
    _, target = made("regression")
    tree = ex.sample(target, draws=20, tune=20, chains=1, random_seed=1, progressbar=False)
    assert tree.attrs["folded"] == 1
    assert tree.posterior["level"].dims == ("chain", "draw", "group")
    np.testing.assert_array_equal(tree.posterior["slope"], ["a", "b"])


def discrete_variable():
    pm.Bernoulli("z", 0.5)


def nothing():
    pm.Normal("y", 0.0, 1.0, observed=0.0)


def chain():
    pm.Normal("chain", 0.0, 1.0)


def random_inside():
    pm.Deterministic("noisy", pm.Normal("x", 0.0, 1.0) + pm.Normal.dist(0.0, 1.0))


@pytest.mark.parametrize(
    ("declare", "sentence"),
    [
        (discrete_variable, "'z' is discrete, and only continuous variables can be sampled: sum it out"),
        (nothing, "the PyMC model has no free variable"),
        (chain, "'chain' names an axis of the draws in results"),
        (random_inside, "the model draws random numbers where it is evaluated"),
    ],
)
def test_what_cannot_be_sampled_is_refused(declare, sentence):
    with pm.Model() as model:
        declare()
    with pytest.raises(ex.ModelError, match=sentence):
        ex.from_pymc(model)


def test_what_is_no_model_or_no_double_precision_is_refused():
    import pytensor

    with pytest.raises(ex.ModelError, match=r"from_pymc takes a pymc\.Model, got 3"):
        ex.from_pymc(3)
    with pytensor.config.change_flags(floatX="float32"), pm.Model() as model:
        pm.Normal("x", 0.0, 1.0)
    with pytest.raises(ex.ModelError, match="'x' is float32, and sampling needs float64"):
        ex.from_pymc(model)


@pytest.mark.slow
@A_DIVERGENCE_OR_TWO
def test_the_posterior_is_that_of_the_same_model_built_here():
    _, target = made("schools")
    check_posterior(ex.sample(target, draws=4000, target_accept=0.95, random_seed=1, progressbar=False))
