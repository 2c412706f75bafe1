"""What may be declared, and by which names; in which words the rest is refused; what a model consists of."""

import subprocess
import sys

import numpy as np
import pytest

import exmc_actors.model as ex
from exmc_actors.errors import ModelError
from exmc_actors.model import Builder, ScaledLogit, transforms

from .conftest import refuses


def test_a_model_reads_as_it_was_written(schools):
    assert repr(schools).splitlines() == [
        "mu ~ Normal(0.0, 5.0)",
        "tau ~ HalfNormal(5.0)",
        "theta ~ Normal(mu, tau), shape (8,)",
        "y ~ Normal(theta, <array (8,)>) observed",
        "effect = theta - mu",
    ]


def test_other_declarations_read_as_they_were_written(b):
    b.data("x", np.arange(3))
    b.rv("u", ex.Uniform(0.0, "tau"), transform=ScaledLogit(0.0, "tau"))
    b.rv("v", ex.Normal("mu", "tau"), centered=False)
    b.potential("p", "mu")
    b.obs("y", "v", 1.0)
    assert repr(b.model()).splitlines()[2:] == [
        "x = data <array (3,)>",
        "u ~ Uniform(0.0, tau), ScaledLogit",
        "y ~ Normal(mu, tau) observed, variable v",
        "p: add mu to the log density",
    ]


def test_a_name_stands_for_its_handle():
    def build(by_name):
        b = Builder()
        mu, tau = b.rv("mu", ex.Normal(0.0, 1.0)), b.rv("tau", ex.HalfNormal(1.0))
        b.rv("x", ex.Normal("mu", "tau") if by_name else ex.Normal(mu, tau))
        return b.model().key

    assert build(by_name=True) == build(by_name=False)


def test_the_shape_is_that_of_the_parameters_unless_given(b):
    b.rv("one", ex.Normal("mu", np.ones((2, 1))))
    b.rv("two", ex.Normal("one", np.ones(3)))
    b.rv("three", ex.Normal("one", 1.0), shape=(4, 2, 1))
    b.rv("four", ex.Normal("mu", 1.0), shape=np.int64(3))
    shapes = b.model().shapes
    assert [shapes[name] for name in ("one", "two", "three", "four")] == [(2, 1), (2, 3), (4, 2, 1), (3,)]


def test_an_observed_variable_leaves_the_free_ones(b):
    b.rv("x", ex.Normal("mu", "tau"), shape=5)
    b.det("total", ex.math.sum("x"))
    b.obs("x_seen", "x", np.arange(5.0))
    model = b.model()
    assert [variable.name for variable in model.free] == ["mu", "tau"]
    assert model.shapes["x"] == model.shapes["x_seen"] == (5,)
    assert list(model.observed_data) == ["x_seen"]


def test_a_variable_may_be_observed_under_its_own_name(b):
    x = b.rv("x", ex.Normal("mu", "tau"), shape=2)
    b.obs("x", x, [1.0, 2.0])
    assert list(b.model().observed_data) == ["x"]


@pytest.mark.parametrize(
    ("shape", "data"), [(3, np.zeros(5)), ((), np.zeros(3)), (3, 0.0), (3, np.zeros((3, 1)))]
)
def test_an_observed_variable_keeps_the_shape_that_it_was_declared_with(b, shape, data):
    x = b.rv("x", ex.Normal("mu", "tau"), shape=shape)
    b.det("twice", 2.0 * x)
    with pytest.raises(ModelError, match=r"^x: what is observed has shape .*, and x is declared with shape"):
        b.obs("x", x, data)
    assert [variable.name for variable in b.model().free] == ["mu", "tau", "x"]


def test_an_observed_variable_keeps_its_dims_unless_others_are_given():
    b = ex.Builder(coords={"g": ["a", "b"], "h": [1, 2]})
    b.rv("free", ex.Normal(0.0, 1.0))
    for name in ("x", "y", "z"):
        b.rv(name, ex.Normal(0.0, 1.0), dims="g")
    b.obs("x", "x", [1.0, 2.0])
    b.obs("seen", "y", [1.0, 2.0])
    b.obs("z", "z", [1.0, 2.0], dims="h")
    assert b.model().dims == {"x": ("g",), "seen": ("g",), "z": ("h",)}


class TestAnObservedVariableWithATransform:
    @pytest.fixture
    def x(self, b):
        return b.rv("x", ex.Normal("mu", 1.0), shape=3, transform=transforms.Ordered())

    def test_takes_data_that_are_as_the_transform_says(self, b, x):
        b.obs("x", x, [1.0, 2.0, 3.0])
        model = b.model()
        assert str(model.sites[-1]) == "x ~ Normal(mu, 1.0) observed, Ordered"
        with pytest.raises(ModelError, match=r"^x: entry \[1\] is 1.0 and not above the entry before it"):
            model.with_data(x=[1.0, 1.0, 3.0])

    def test_refuses_other_data(self, b, x):
        with pytest.raises(
            ModelError, match=r"^x: entry \[1\] is 2.0 and not above .*: sort the data, or leave"
        ):
            b.obs("x", x, [3.0, 2.0, 1.0])

    @pytest.mark.parametrize("transform", [transforms.ZeroSum(), transforms.UnitVector()])
    def test_refuses_what_has_a_density_of_fewer_numbers(self, b, transform):
        b.rv("y", ex.Normal("mu", 1.0), shape=3, transform=transform)
        with pytest.raises(
            ModelError, match=r"^seen: transform=.*\(\) leaves fewer free numbers than entries"
        ):
            b.obs("seen", "y", [1.0, 0.0, -1.0])

    def test_may_have_any_that_only_says_how_it_is_sampled(self, b):
        b.rv("y", ex.HalfNormal(1.0), shape=3, transform=transforms.Softplus())
        b.obs("seen", "y", [3.0, 2.0, 1.0])
        assert str(b.model().sites[-1]) == "seen ~ HalfNormal(1.0) observed, variable y"


@pytest.mark.parametrize("name", ["", 3, None, "a\nb", "\ud800"])
def test_a_name_is_a_printable_string(b, name):
    with refuses("a name must be a non-empty string of printable characters, got"):
        b.rv(name, ex.Flat())


def test_a_name_is_used_once(b):
    for declare in (
        lambda: b.rv("mu", ex.Flat()),
        lambda: b.det("mu", 1.0),
        lambda: b.data("mu", 1.0),
        lambda: b.potential("mu", 1.0),
        lambda: b.obs("mu", ex.Flat(), 1.0),
    ):
        with refuses("'mu' is declared already: choose a new name"):
            declare()


def test_an_unknown_name_is_answered_with_the_nearest(b):
    with refuses("theta: Normal's sigma: unknown variable 'tua': did you mean 'tau'\\? Known: mu, tau"):
        b.rv("theta", ex.Normal("mu", "tua"))
    with refuses("unknown variable 'zzz'. Known: mu, tau"):
        b.det("d", "zzz")


def test_a_name_must_be_declared_before_it_is_used():
    b = Builder()
    with refuses("unknown variable 'mu'. Known: none yet"):
        b.rv("x", ex.Normal("mu", 1.0))


def test_a_refused_declaration_leaves_no_trace(b):
    with refuses("must be positive"):
        b.rv("x", ex.Normal("mu", -1.0))
    b.rv("x", ex.Normal("mu", 1.0))


def test_coords_are_names_of_labels():
    assert Builder({"a": np.arange(2), "b": ["x", np.str_("y")]})
    with refuses("coords must be a dictionary of names to labels"):
        Builder(["a"])
    for labels in ("abc", 3, np.array(3), {"x", "y"}):
        with refuses(r"coords\['a'\] must be a list of labels"):
            Builder({"a": labels})
    with refuses(r"coords\['a'\] must hold strings or numbers, got None"):
        Builder({"a": [None]})


@pytest.mark.parametrize("kind", ["datetime64", "timedelta64"])
@pytest.mark.parametrize("unit", ["ns", "s"])
@pytest.mark.parametrize("of", [list, np.asarray])
def test_dates_and_durations_are_refused_as_labels_in_every_unit(of, unit, kind):
    with refuses(rf"coords\['a'\] must hold strings or numbers, got .*{kind}.*: convert them by str"):
        Builder({"a": of(np.array([1, 2], f"{kind}[{unit}]"))})


@pytest.mark.parametrize("label", [2**63, -(2**63) - 1, "a\0b", "\ud800"])
def test_labels_that_no_file_can_hold_are_refused_before_anything_is_sampled(label):
    with refuses(
        r"coords\['a'\] must hold text without null characters .* got .*: convert such integers by str"
    ):
        Builder({"a": [label, 1]})
    assert Builder({"a": [2**63 - 1, -(2**63)], "b": ["\U0001f600", ""]})


def test_a_distribution_and_a_handle_are_not_confused(b):
    with refuses(
        r"x: Normal is a class, where a distribution with its parameters is expected: write Normal\(\.\.\.\)"
    ):
        b.rv("x", ex.Normal)
    with refuses(r"x: a distribution is expected, got mu: write Normal\(0.0, 1.0\), say"):
        b.rv("x", ex.Reference("mu"))
    with refuses(
        r"Normal\(0, 1\) is a distribution, where a handle, a name, a number or an array is expected"
    ):
        b.rv("x", ex.Normal(ex.Normal(0, 1), 1))
    with refuses("is a distribution, where a handle"):
        b.det("x", ex.Normal(0, 1))
    with refuses("y: the data must be numbers, got mu: give the array itself"):
        b.obs("y", ex.Normal(0, 1), ex.Reference("mu"))
    with refuses("y: a distribution is expected, got 3"):
        b.obs("y", 3, [1.0])


def test_a_distribution_of_ones_own_is_refused_whatever_its_name(b):
    class Mine(ex.Distribution):
        pass

    class Normal(ex.Normal):
        pass

    for given, name in ((Mine(), "Mine"), (Normal(0.0, 1.0), "Normal"), (ex.Distribution(), "Distribution")):
        sentence = (
            f"x: {name} is none of the library's distributions, .* take one of .*Beta, .*Cauchy, .*Custom"
        )
        with refuses(sentence):
            b.rv("x", given)
        with refuses(sentence):
            b.obs("x", given, 1.0)


def test_a_transform_of_ones_own_is_refused_whatever_its_name(b):
    class Log(ex.Log):
        pass

    with refuses(r"x: transform must be a transform such as Log\(\), got"):
        b.rv("x", ex.HalfNormal(1.0), transform=Log())


def test_data_must_be_numbers(b):
    for declare in (lambda v: b.data("x", v), lambda v: b.obs("x", ex.Normal(0, 1), v)):
        with refuses("x must be an array of numbers, got"):
            declare(["a", "b"])
    with refuses(r"x: entry \[0\] is nan"):
        b.data("x", [np.nan])


def test_only_a_free_variable_can_be_observed(b):
    b.det("d", "mu")
    for name in ("d", "nobody"):
        with refuses(f"y: unknown random variable '{name}'"):
            b.obs("y", name, 1.0)
    b.obs("y", "mu", 1.0)
    with refuses("z: unknown random variable 'mu'"):
        b.obs("z", "mu", 1.0)


def test_a_model_has_something_to_sample():
    b = Builder()
    b.obs("y", ex.Normal(0.0, 1.0), [1.0])
    with refuses(r"the model has no free variables, so there is nothing to sample: declare one by b\.rv"):
        b.model()


def test_building_touches_no_backend():
    program = (
        "import exmc_actors.model as ex, numpy as np\n"
        "from jax._src import xla_bridge\n"
        "b = ex.Builder(); x = b.rv('x', ex.HalfNormal(1.0), shape=3)\n"
        "b.obs('y', ex.Normal(ex.math.exp(x)[np.array([0, 2])] @ np.ones((2, 2)), 1.0), np.ones(2))\n"
        "ex.Model.from_bytes(b.model().to_bytes()).key\n"
        "assert not xla_bridge._backends, xla_bridge._backends\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
