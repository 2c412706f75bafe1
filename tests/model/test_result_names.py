"""Names that would end a run when its draws are laid out are refused when they are declared."""

import numpy as np
import pytest

import exmc_actors.model as ex
from exmc_actors.diagnostics import build
from exmc_actors.errors import ModelError
from exmc_actors.model import Deterministic, Model, Variable

ORIGIN = {"created_at": "", "inference_library_version": ""}


def laid_out(model):
    """Return the result of a run of the model whose every draw is zero."""
    reported = [site.name for site in model.sites if isinstance(site, Variable | Deterministic)]
    posterior = {name: np.zeros((2, 3, *model.shapes[name])) for name in reported}
    return build(
        posterior,
        {},
        observed_data=model.observed_data,
        constant_data=model.constant_data,
        dims=model.dims,
        coords=model.coords,
        attrs=ORIGIN,
    )


DECLARE = {
    "variable": lambda b, name, dims=None: b.rv(name, ex.Flat(), dims=dims, shape=None if dims else 8),
    "deterministic": lambda b, name, dims=None: b.det(name, np.zeros(8), dims=dims),
    "observation": lambda b, name, dims=None: b.obs(name, ex.Flat(), np.zeros(8), dims=dims),
    "data": lambda b, name, dims=None: b.data(name, np.zeros(8), dims=dims),
}


@pytest.mark.parametrize("kind", DECLARE)
@pytest.mark.parametrize("name", ["chain", "draw", "sample"])
def test_nothing_is_called_like_an_axis_of_the_draws(b, kind, name):
    with pytest.raises(ModelError, match=f"^{name}: '{name}' names an axis of the draws in results: choose"):
        DECLARE[kind](b, name)


@pytest.mark.parametrize("kind", DECLARE)
@pytest.mark.parametrize("dim", ["chain", "draw"])
def test_no_dim_is_called_like_an_axis_of_the_draws(kind, dim):
    b = ex.Builder(coords={dim: range(8)})
    with pytest.raises(ModelError, match=f"^x: dim '{dim}' names an axis of the draws in results: choose"):
        DECLARE[kind](b, "x", dim)


@pytest.mark.parametrize("kind", DECLARE)
def test_a_value_is_not_called_like_an_axis_beside_it_whichever_comes_first(b, kind):
    sentence = "'school' cannot name a value and an axis, since results hold both by name: rename one"
    with pytest.raises(ModelError, match=f"^school: {sentence}"):
        DECLARE[kind](b, "school", "school")
    DECLARE[kind](b, "x", "school")
    with pytest.raises(ModelError, match=f"^school: {sentence}"):
        DECLARE[kind](b, "school")
    other = ex.Builder(coords={"school": range(8)})
    DECLARE[kind](other, "school")
    with pytest.raises(ModelError, match=f"^x: {sentence}"):
        DECLARE[kind](other, "x", "school")


def test_an_axis_without_a_dim_has_a_name_as_well(b):
    DECLARE["variable"](b, "x")
    with pytest.raises(ModelError, match=r"^x_dim_0: 'x_dim_0' cannot name a value and an axis"):
        b.rv("x_dim_0", ex.Flat())
    other = ex.Builder(coords={"x_dim_0": range(3)})
    DECLARE["variable"](other, "x")
    with pytest.raises(ModelError, match=r"^y: there is an axis 'x_dim_0' of 8 entries: choose new names"):
        other.rv("y", ex.Flat(), dims="x_dim_0")


@pytest.mark.parametrize("kind", DECLARE)
def test_a_name_is_no_path(kind):
    b = ex.Builder(coords={"a/b": range(8)})
    for name, dims in (("a/b", None), ("x", "a/b")):
        with pytest.raises(ModelError, match=f"^{name}: 'a/b' holds a '/', which results read as a path"):
            DECLARE[kind](b, name, dims)


@pytest.mark.parametrize("kind", DECLARE)
def test_a_value_is_not_called_like_an_element_of_an_array_beside_it_whichever_comes_first(b, kind):
    sentence = r"there cannot be an array 'x' and a value 'x\[...\]', since results call the elements"
    DECLARE[kind](b, "x")
    with pytest.raises(ModelError, match=rf"^x\[3\]: {sentence}"):
        DECLARE[kind](b, "x[3]")
    other = ex.Builder()
    DECLARE[kind](other, "x[a]")
    with pytest.raises(ModelError, match=f"^x: {sentence}"):
        DECLARE[kind](other, "x")


def test_brackets_are_free_where_no_array_has_the_name_before_them():
    b = ex.Builder()
    b.rv("x", ex.Flat())
    b.rv("x[0]", ex.Flat())
    b.rv("y[0][1]", ex.Flat(), shape=2)
    b.rv("y[0][1][2] of z", ex.Flat())
    assert len(b.model().shapes) == 4


def test_a_result_holds_whatever_is_left():
    """An index is often called like the dim that it points into, a term of the density like anything."""
    b = ex.Builder(coords={"county": range(8), "sample": range(2), "mu": ["no dim"]})
    county = b.data("county", np.zeros(8, int))
    mu = b.rv("mu", ex.Normal(0.0, 1.0))
    theta = b.rv("theta", ex.Normal(mu, 1.0), dims="county")
    b.rv("seen", ex.Normal(theta, 1.0))
    b.det("picked", theta[county])
    b.rv("square", ex.Flat(), dims=("sample", "county"))
    b.obs("theta_dim_0", "seen", np.zeros(8))
    b.potential("chain", mu)
    tree = laid_out(Model.from_bytes(b.model().to_bytes()))
    assert tree["posterior/theta"].dims == ("chain", "draw", "county")
    assert tree["constant_data/county"].dims == ("county_dim_0",)
    assert tree["posterior/picked"].dims == ("chain", "draw", "picked_dim_0")


def test_a_variable_that_is_observed_leaves_its_name_to_an_axis():
    b = ex.Builder(coords={"school": range(8)})
    b.rv("mu", ex.Flat())
    b.rv("school", ex.Normal("mu", 1.0), shape=8)
    b.obs("y", "school", np.zeros(8))
    b.det("theta", np.zeros(8), dims="school")
    assert laid_out(b.model())["posterior/theta"].dims == ("chain", "draw", "school")
