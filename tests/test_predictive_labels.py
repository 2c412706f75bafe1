"""Draws are matched to the model by the labels of what they are draws of, not by where these stand."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import exmc_actors as ex

LEVELS = xr.DataArray(
    np.tile([-100.0, 0.0, 100.0], (2, 50, 1)),
    dims=("chain", "draw", "group"),
    coords={"group": ["a", "b", "c"]},
)


@pytest.fixture
def tree():
    return xr.DataTree.from_dict({"posterior": xr.Dataset({"level": LEVELS})})


@pytest.fixture
def tree_with_shared_labels():
    shared = xr.Dataset(coords={"group": LEVELS["group"]})
    return xr.DataTree.from_dict({"/": shared, "posterior": xr.Dataset({"level": LEVELS.drop_vars("group")})})


def groups(order, *, observed="group", size=3):
    b = ex.Builder(coords={"group": list(order), "place": [f"p{i}" for i in range(size)]})
    level = b.rv("level", ex.Normal(0.0, 1000.0), dims="group")
    b.obs("y", ex.Normal(level if observed == "group" else level[0], 1.0), np.zeros(size), dims=observed)
    return b.model()


@pytest.mark.parametrize("order", ["abc", "cab"])
def test_a_prediction_has_the_label_of_the_draws_that_it_comes_from(tree, order):
    found = ex.sample_posterior_predictive(tree, groups(order), random_seed=1)["posterior_predictive/y"]
    assert found["group"].values.tolist() == list(order)
    assert np.abs(found - LEVELS).max() < 10.0


@pytest.mark.parametrize("order", ["abc", "cab"])
def test_a_log_likelihood_is_that_of_the_draws_with_its_label(tree, order):
    found = ex.log_likelihood(tree, groups(order))["log_likelihood/y"]
    np.testing.assert_allclose(found.sel(group=list("abc")), stats.norm.logpdf(0.0, LEVELS), rtol=1e-12)


def test_draws_of_another_group_are_refused(tree):
    with pytest.raises(ex.SettingsError, match="labels a, b, c along group in the posterior and a, b, d"):
        ex.log_likelihood(tree, groups("abd"))


def test_an_axis_that_only_data_have_may_have_other_labels(tree):
    found = ex.sample_posterior_predictive(tree, groups("abc", observed="place", size=5), random_seed=1)
    assert found["posterior_predictive/place"].values.tolist() == ["p0", "p1", "p2", "p3", "p4"]


@pytest.mark.parametrize("order", ["abc", "cab"])
def test_labels_at_the_root_of_a_tree_are_those_of_its_groups(tree_with_shared_labels, order):
    found = ex.log_likelihood(tree_with_shared_labels, groups(order))
    logs = found["log_likelihood/y"]
    assert logs["group"].values.tolist() == list(order)
    np.testing.assert_allclose(logs.sel(group=list("abc")), stats.norm.logpdf(0.0, LEVELS), rtol=1e-12)
    assert found["posterior/level"].identical(tree_with_shared_labels["posterior/level"])
    assert ex.loo(found).elpd_i["group"].values.tolist() == list(order)


def test_data_may_have_other_labels_than_the_root_of_a_tree(tree_with_shared_labels):
    shared = tree_with_shared_labels
    shared.coords["place"] = ["q0", "q1"]
    found = ex.sample_posterior_predictive(shared, groups("abc", observed="place", size=5), random_seed=1)
    assert found["posterior_predictive/place"].values.tolist() == ["p0", "p1", "p2", "p3", "p4"]
    assert found["posterior/group"].values.tolist() == ["a", "b", "c"]
