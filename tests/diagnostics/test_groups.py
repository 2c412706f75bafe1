import numpy as np
import pytest
import xarray as xr

from exmc_actors.diagnostics.groups import build_prior, draws_of, with_group
from exmc_actors.errors import SettingsError

ATTRS = {"created_at": "2026-01-01T00:00:00+00:00", "inference_library_version": "0.1.0"}
SCHOOLS = {"school": tuple("abcdefgh")}


@pytest.fixture
def tree(tree_of, good_posterior):
    return tree_of(good_posterior, dims={"theta": ["school"]}, coords={"school": list("abcdefgh")})


def added(tree, arrays, **names):
    return with_group(
        tree, "posterior_predictive", arrays, **{"dims": {}, "coords": {}, "attrs": ATTRS, **names}
    )


def test_a_group_has_the_chains_and_draws_of_the_posterior(tree):
    some = tree.isel(chain=[1, 3], draw=slice(10, 500, 10))
    group = added(some, {"y": np.zeros((2, 49, 3))})["posterior_predictive"]
    assert group["chain"].values.tolist() == [1, 3]
    assert group["draw"].values.tolist() == list(range(10, 500, 10))
    assert group["y"].dims == ("chain", "draw", "y_dim_0")
    assert group.attrs["inference_library"] == "exmc_actors"


def test_the_tree_that_was_given_stays_as_it_is(tree):
    more = added(tree, {"y": np.zeros((4, 500))})
    assert "posterior_predictive" not in tree.children
    assert list(more.children) == [*tree.children, "posterior_predictive"]
    assert np.shares_memory(more["posterior/theta"].values, tree["posterior/theta"].values)


def test_a_group_that_is_there_is_replaced(tree):
    twice = added(added(tree, {"y": np.zeros((4, 500))}), {"z": np.ones((4, 500, 8))}, dims={"z": ["school"]})
    assert list(twice["posterior_predictive"].data_vars) == ["z"]
    assert twice["posterior_predictive/z"].dims == ("chain", "draw", "school")


def test_lengths_of_an_axis_may_differ_between_groups(tree):
    more = added(tree, {"y": np.zeros((4, 500, 2))}, dims={"y": ["school"]}, coords={"school": ["x", "y"]})
    assert more["posterior_predictive/school"].values.tolist() == ["x", "y"]
    assert more["posterior"].sizes["school"] == 8


def test_draws_are_flat_by_chain(tree, good_posterior):
    draws, counts = draws_of(tree, {"mu": (), "theta": (8,)}, {"theta": ("school",)}, SCHOOLS)
    assert counts == (4, 500)
    assert draws["theta"].shape == (2000, 8)
    assert np.array_equal(draws["theta"][501], good_posterior["theta"][1, 1])
    assert np.array_equal(draws["mu"], good_posterior["mu"].ravel())


def test_a_variable_without_entries_has_draws(tree_of):
    draws, _ = draws_of(tree_of({"x": np.empty((2, 5, 0, 3))}), {"x": (0, 3)}, {}, {})
    assert draws["x"].shape == (10, 0, 3)


def test_draws_are_found_in_whatever_order_the_axes_are(tree):
    turned = xr.DataTree.from_dict(
        {"posterior": tree["posterior"].to_dataset().transpose("school", "draw", "chain")}
    )
    names = {"theta": (8,)}, {"theta": ("school",)}, SCHOOLS
    assert np.array_equal(draws_of(turned, *names)[0]["theta"], draws_of(tree, *names)[0]["theta"])


def test_a_matrix_is_turned_to_the_order_of_the_model(tree_of):
    values = np.random.default_rng(1).normal(size=(2, 5, 3, 4))
    tree = tree_of({"m": values}, dims={"m": ["row", "column"]})
    turned = xr.DataTree.from_dict(
        {"posterior": tree["posterior"].to_dataset().transpose("column", "row", "chain", "draw")}
    )
    found, _ = draws_of(turned, {"m": (3, 4)}, {"m": ("row", "column")}, {})
    assert np.array_equal(found["m"], values.reshape(10, 3, 4))


def thetas(tree, labels):
    return draws_of(tree, {"theta": (8,)}, {"theta": ("school",)}, {"school": tuple(labels)})[0]["theta"]


def of_school(tree, labels):
    """The same tree, with other labels of the schools."""
    return xr.DataTree.from_dict({"posterior": tree["posterior"].to_dataset().assign_coords(school=labels)})


@pytest.mark.parametrize("order", [list("hgfedcba"), list("cabdhefg")])
def test_draws_are_in_the_order_of_the_models_labels(tree, order):
    expected = tree["posterior/theta"].sel(school=order).values.reshape(2000, 8)
    assert np.array_equal(thetas(tree, order), expected)
    turned = xr.DataTree.from_dict({"posterior": tree["posterior"].to_dataset().sel(school=order)})
    assert np.array_equal(thetas(turned, "abcdefgh"), thetas(tree, "abcdefgh"))


@pytest.mark.parametrize(
    "labels", [range(8), [0.5, np.nan, 2, 3, 4, 5, 6, 7], [True, *"bcdefgh"], list("aabbccdd")]
)
def test_labels_of_any_kind_are_those_that_the_model_has(tree, tree_of, good_posterior, labels):
    made = tree_of(good_posterior, dims={"theta": ["school"]}, coords={"school": labels})
    assert np.array_equal(thetas(made, labels), thetas(tree, "abcdefgh"))


def test_an_axis_without_a_name_is_in_the_order_of_its_numbers(tree_of):
    values = np.random.default_rng(1).normal(size=(2, 5, 3, 3))
    sorted_down = tree_of({"m": values})["posterior"].to_dataset().sortby("m_dim_0", ascending=False)
    turned = xr.DataTree.from_dict(
        {"posterior": sorted_down.transpose("m_dim_1", "draw", "chain", "m_dim_0")}
    )
    assert np.array_equal(draws_of(turned, {"m": (3, 3)}, {}, {})[0]["m"], values.reshape(10, 3, 3))


def test_places_count_where_one_side_has_no_labels(tree):
    unlabelled = tree.copy()
    unlabelled["posterior"] = tree.posterior.to_dataset().drop_vars("school")
    renamed = xr.DataTree.from_dict({"posterior": tree["posterior"].to_dataset().rename(school="group")})
    expected = thetas(tree, "abcdefgh")
    for given, labels in (
        (unlabelled, "hgfedcba"),
        (renamed, "hgfedcba"),
        (of_school(tree, np.arange(8)), "hgfedcba"),
        (tree, range(8)),
    ):
        assert np.array_equal(thetas(given, labels), expected)


def test_refuses_draws_of_other_labels(tree):
    with pytest.raises(
        SettingsError,
        match=r"theta has the labels a, b, c, d, e, \.\.\. along school in the posterior and a, b, c, d, X, "
        r"\.\.\. in the model: .* set tree.* = tree.posterior.to_dataset\(\).drop_vars\('school'\) first",
    ):
        thetas(tree, "abcdXfgh")
    for labels in (
        list("aacdefgh"),
        [*range(7, 0, -1), 9],
        np.arange("2020-01-01", "2020-01-09", dtype="M8[D]"),
    ):
        with pytest.raises(SettingsError, match="free variables must keep their labels"):
            thetas(of_school(tree, labels), "abcdefgh")
    with pytest.raises(SettingsError, match="each of which stands once"):
        thetas(of_school(tree, list("aabcdefg")), "abaacdefg"[1:])


def test_single_precision_is_widened(tree_of):
    draws, _ = draws_of(tree_of({"mu": np.ones((2, 3), np.float32)}), {"mu": ()}, {}, {})
    assert draws["mu"].dtype == np.float64


def test_refuses_what_the_posterior_lacks(tree):
    with pytest.raises(SettingsError, match=r"lacks sigma, nu, .* it has mu, tau, theta\. Sample"):
        draws_of(tree, {"mu": (), "sigma": (), "nu": ()}, {}, {})


def test_refuses_another_shape(tree):
    with pytest.raises(
        SettingsError, match=r"theta has shape \(8,\) in the posterior and \(10,\) in the model"
    ):
        draws_of(tree, {"theta": (10,)}, {"theta": ("school",)}, {"school": range(10)})


def test_refuses_a_tree_without_draws(tree, tree_of):
    with pytest.raises(SettingsError, match="group 'posterior' is needed"):
        draws_of(xr.DataTree(), {"mu": ()}, {}, {})
    with pytest.raises(SettingsError, match="4 chains of 0 draws"):
        draws_of(tree_of({"mu": np.empty((4, 0))}), {"mu": ()}, {}, {})
    stacked = xr.DataTree.from_dict({"posterior": tree["posterior"].to_dataset().rename(draw="sample")})
    with pytest.raises(SettingsError, match="dimensions chain and draw, it has"):
        draws_of(stacked, {"mu": ()}, {}, {})


def test_a_prior_has_the_groups_that_are_not_empty():
    tree = build_prior(
        {"mu": np.zeros((1, 5))},
        {"y": np.zeros((1, 5, 2))},
        observed_data={"y": np.ones(2)},
        constant_data={},
        dims={"y": ("who",)},
        coords={"who": ["a", "b"]},
        attrs={**ATTRS, "random_seed": 3},
    )
    assert list(tree.children) == ["prior", "prior_predictive", "observed_data"]
    assert tree["prior_predictive/y"].dims == ("chain", "draw", "who")
    assert tree["observed_data/who"].values.tolist() == ["a", "b"]
    assert tree.attrs["random_seed"] == tree["prior"].attrs["random_seed"] == 3
