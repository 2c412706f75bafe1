"""NumPyro's models have NumPyro's own log densities, gradients and values."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import exmc_actors as ex
from tests.elsewhere.agreement import check_log_density, check_posterior, check_values, points
from tests.elsewhere.data import COUNTS, GROUP, GROUPS, KINDS, PAIRS, SCHOOLS_SIGMA, SCHOOLS_Y, X, Y

numpyro = pytest.importorskip(
    "numpyro", reason="NumPyro is not installed: pip install 'exmc-actors[numpyro]'"
)
dist = pytest.importorskip("numpyro.distributions")
infer = pytest.importorskip("numpyro.infer.util")
TOO_FEW_DRAWS = A_DIVERGENCE_OR_TWO = pytest.mark.filterwarnings("ignore::exmc_actors.errors.SamplingWarning")


def schools(sigma, y=None):
    mu = numpyro.sample("mu", dist.Normal(0, 5))
    tau = numpyro.sample("tau", dist.HalfNormal(5))
    with numpyro.plate("school", 8):
        z = numpyro.sample("z", dist.Normal(0, 1))
        theta = numpyro.deterministic("theta", mu + tau * z)
        numpyro.sample("y", dist.Normal(theta, sigma), obs=y)


def regression(group, x, y):
    slopes = numpyro.sample("slopes", dist.Normal(0, 2).expand([2]).to_event(1))
    tau, sigma = numpyro.sample("tau", dist.HalfNormal(1)), numpyro.sample("sigma", dist.Exponential(1.0))
    with numpyro.plate("group", GROUPS):
        level = numpyro.sample("level", dist.StudentT(4.0, 0, tau))
    with numpyro.plate("row", len(y)):
        numpyro.sample("y", dist.Normal(level[group] + x @ slopes, sigma), obs=y)


def supports(pairs):
    scales = numpyro.sample("scales", dist.Gamma(2.0, 2.0).expand([3]))
    cuts = numpyro.sample(
        "cuts",
        dist.TransformedDistribution(
            dist.Normal(0, 1).expand([3]).to_event(1), dist.transforms.OrderedTransform()
        ),
    )
    low = numpyro.sample("low", dist.Uniform(-1.0, 1.0))
    inside = numpyro.sample("inside", dist.Uniform(low, 2.0))
    factor = numpyro.sample("factor", dist.LKJCholesky(3, 1.5))
    shares = numpyro.sample("shares", dist.Dirichlet(jnp.array([1.0, 2.0, 0.5])))
    mean = cuts * inside + shares
    numpyro.deterministic("correlation", factor @ factor.T)
    with numpyro.plate("pair", len(pairs)):
        numpyro.sample("pairs", dist.MultivariateNormal(mean, scale_tril=scales[:, None] * factor), obs=pairs)


def discrete(counts, kinds):
    rate = numpyro.sample("rate", dist.LogNormal(1.0, 1.0))
    logits = numpyro.sample("logits", dist.Normal(0, 1).expand([2]).to_event(1))
    with numpyro.plate("event", len(counts)):
        numpyro.sample("counts", dist.Poisson(rate), obs=counts)
        numpyro.sample("kinds", dist.Categorical(logits=jnp.append(logits, 0.0)), obs=kinds)
    numpyro.factor("penalty", -jnp.sum(logits**2) * rate)


MODELS = {
    "schools": (schools, (SCHOOLS_SIGMA,), {"y": SCHOOLS_Y}),
    "regression": (regression, (GROUP, X, Y), {}),
    "supports": (supports, (PAIRS,), {}),
    "discrete": (discrete, (COUNTS, KINDS), {}),
}


SLOW = ("regression", "supports")
NAMES = [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in MODELS]


@functools.cache
def made(name):
    """Return the target of a model, made once."""
    fn, args, kwargs = MODELS[name]
    return ex.from_numpyro(fn, *args, **kwargs)


def by_name(target, flat):
    return {name: jnp.asarray(value) for name, value in target.layout.unflatten(flat).items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_log_density_and_its_gradient_are_numpyros(name):
    fn, args, kwargs = MODELS[name]
    target = made(name)

    def library(points):
        with jax.enable_x64(True):
            density = lambda q: -infer.potential_energy(fn, args, kwargs, by_name(target, q))  # noqa: E731
            return map(np.asarray, jax.jit(jax.vmap(jax.value_and_grad(density)))(points))

    check_log_density(target, library)


@pytest.mark.parametrize("name", NAMES)
def test_the_values_are_numpyros(name):
    fn, args, kwargs = MODELS[name]
    target = made(name)
    with jax.enable_x64(True):
        constrain = jax.jit(
            lambda q: infer.constrain_fn(fn, args, kwargs, by_name(target, q), return_deterministic=True)
        )

    def library(q):
        with jax.enable_x64(True):
            return jax.device_get(constrain(q))

    check_values(target, library)


def test_names_shapes_dims_and_data_are_those_of_the_model():
    target = made("schools")
    assert target.values_layout.names == ("mu", "tau", "z", "theta")
    assert target.dims == {"z": ("school",), "theta": ("school",), "y": ("school",)}
    np.testing.assert_array_equal(target.observed_data["y"], SCHOOLS_Y)
    assert target.init is None
    other = made("discrete")
    assert set(other.observed_data) == {"counts", "kinds"}
    assert list(other.terms(np.zeros(3))) == ["rate", "logits", "counts", "kinds", "penalty"]
    assert repr(target) == "<NumPyro model of 10 unconstrained numbers: mu, tau, z>"


def test_axes_of_an_event_have_names_of_their_own_behind_those_of_the_plates():
    def model():
        with numpyro.plate("row", 4, dim=-2), numpyro.plate("column", 3, dim=-1):
            numpyro.sample("a", dist.Normal(jnp.zeros(2), 1).to_event(1))
            numpyro.sample("b", dist.Normal(0, 1))
        with numpyro.plate("draw", 5):
            numpyro.sample("c", dist.Normal(0, 1))

    dims = ex.from_numpyro(model).dims
    assert dims == {"a": ("row", "column", "a_dim_2"), "b": ("row", "column"), "c": ("c_dim_0",)}


def test_axes_of_a_deterministic_begin_with_the_plates_around_it_where_these_have_its_sizes():
    def model():
        with numpyro.plate("row", 3):
            shares = numpyro.deterministic("shares", jnp.ones((3, 3)))
            numpyro.deterministic("pairs", shares[:, :2])
            numpyro.deterministic("turned", shares[:, :2].T)
        with numpyro.plate("x", 4, dim=-2), numpyro.plate("y", 3, dim=-1):
            numpyro.deterministic("table", jnp.ones((4, 3, 3)))
            numpyro.deterministic("line", numpyro.sample("z", dist.Normal(0, 1))[0])

    assert ex.from_numpyro(model).dims == {
        "shares": ("row", "shares_dim_1"),
        "pairs": ("row", "pairs_dim_1"),
        "turned": ("turned_dim_0", "row"),
        "table": ("x", "y", "table_dim_2"),
        "z": ("x", "y"),
        "line": ("y",),
    }


def test_the_flat_vector_is_numpyros_own():
    target = made("regression")
    assert target.names == ("level", "sigma", "slopes", "tau")
    flat, _ = jax.flatten_util.ravel_pytree(by_name(target, np.arange(10.0)))
    np.testing.assert_array_equal(flat, np.arange(10.0))


def test_a_support_that_depends_on_another_variable_follows_what_is_given():
    def model():
        low = numpyro.sample("low", dist.Uniform(-1.0, 1.0))
        numpyro.sample("inside", dist.Uniform(low, 2.0))

    target = ex.from_numpyro(model)
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


def test_arrays_are_arguments_in_double_precision_whatever_the_host_has():
    y, sigma = (jnp.asarray(array, np.float32) for array in (SCHOOLS_Y, SCHOOLS_SIGMA))
    target = ex.from_numpyro(schools, sigma, y=y)
    assert sum(a.shape == (8,) and a.dtype == np.float64 for a in target.arguments) == 2
    q = points(target)[0]
    assert target.log_density(q) == pytest.approx(made("schools").log_density(q), rel=1e-13)
    assert target.key != made("schools").key


@TOO_FEW_DRAWS
def test_the_model_does_not_run_again():
    runs = []

    def model():
        runs.append(1)
        numpyro.sample("x", dist.Normal(0, 1))

    target = ex.from_numpyro(model)
    before = len(runs)
    tree = ex.sample(target, draws=20, tune=20, chains=2, random_seed=1, progressbar=False)
    assert tree.posterior["x"].shape == (2, 20)
    assert len(runs) == before


@pytest.mark.slow
@TOO_FEW_DRAWS
def test_a_model_that_indexes_by_groups_folds():
    tree = ex.sample(made("regression"), draws=20, tune=20, chains=1, random_seed=1, progressbar=False)
    assert tree.attrs["folded"] == 1
    assert tree.posterior["level"].dims == ("chain", "draw", "group")


def test_a_subsample_is_the_same_in_every_evaluation_and_counts_for_the_whole():
    def model(y):
        mu = numpyro.sample("mu", dist.Normal(0, 1))
        with numpyro.plate("row", len(y), subsample_size=5) as rows:
            numpyro.sample("y", dist.Normal(mu, 1), obs=y[rows])

    y = np.arange(20.0)
    target = ex.from_numpyro(model, y)
    chosen = target.observed_data["y"]
    assert len(set(chosen)) == 5
    expected = 4.0 * np.sum(-0.5 * (chosen - 0.3) ** 2 - 0.5 * np.log(2 * np.pi))
    for _ in range(2):
        assert target.terms([0.3])["y"] == pytest.approx(expected, rel=1e-12)


def test_a_scan_inside_a_model_is_numpyros_too():
    def model(y):
        def step(previous, now):
            x = numpyro.sample("x", dist.Normal(0.9 * previous, 0.5))
            numpyro.sample("y", dist.Normal(x, 0.3), obs=now)
            return x, None

        numpyro.contrib.control_flow.scan(step, numpyro.sample("x0", dist.HalfNormal(1)), y)

    pytest.importorskip("numpyro.contrib.control_flow")
    y = np.linspace(-1.0, 1.0, 6)
    target = ex.from_numpyro(model, y)
    assert {place.name: place.shape for place in target.values_layout.places} == {"x0": (), "x": (6,)}
    q = points(target)[0]
    with jax.enable_x64(True):
        expected = -infer.potential_energy(model, (y,), {}, by_name(target, q))
    assert target.log_density(q) == pytest.approx(float(expected), rel=1e-12)
    np.testing.assert_allclose(target.unconstrain(target.constrain(q)), q, rtol=1e-9)


def discrete_variable():
    numpyro.sample("z", dist.Bernoulli(0.5))


def delta():
    numpyro.sample("point", dist.Delta(1.0))


def nothing():
    numpyro.sample("y", dist.Normal(0, 1), obs=0.0)


def slash():
    numpyro.sample("block/x", dist.Normal(0, 1))


def chain():
    numpyro.sample("chain", dist.Normal(0, 1))


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (3, "from_numpyro takes a function that declares a NumPyro model, got 3"),
        (discrete_variable, "'z' is discrete, and only continuous variables can be sampled: sum it out"),
        (delta, "'point' is a Delta: write numpyro.deterministic"),
        (nothing, "the NumPyro model has no free variable"),
        (slash, "'block/x' holds a '/', which results read as a path"),
        (chain, "'chain' names an axis of the draws in results"),
    ],
)
def test_what_cannot_be_sampled_is_refused(model, sentence):
    with pytest.raises(ex.ModelError, match=sentence):
        ex.from_numpyro(model)


@pytest.mark.slow
@A_DIVERGENCE_OR_TWO
def test_the_posterior_is_that_of_the_same_model_built_here():
    check_posterior(
        ex.sample(made("schools"), draws=4000, target_accept=0.95, random_seed=1, progressbar=False)
    )
