import numpy as np
import pytest
import xarray as xr

from exmc_actors.diagnostics.online import Online
from exmc_actors.diagnostics.quantities import (
    chosen_variables,
    count_quantities,
    posterior_of,
    quantities,
)
from exmc_actors.errors import SettingsError
from exmc_actors.messages import STATS, DrawBlock


def names(posterior, stride=1):
    parts = quantities(posterior, chosen_variables(posterior, None), stride=stride)
    return [name for part in parts for name in part.names]


def names_online(arrays, dims, coords):
    """Return the names of the same scalars while draws come."""
    online = Online(2, dims=dims, coords=coords)
    stats = {name: np.zeros(5) for name in STATS}
    online.observe(DrawBlock(0, "sample", 0, {name: values[0] for name, values in arrays.items()}, stats))
    return list(online.names)


def test_quantities_are_named_by_position_or_by_label(tree_of):
    arrays = {"mu": np.zeros((2, 5)), "theta": np.zeros((2, 5, 2)), "x": np.zeros((2, 5, 1, 2))}
    tree = tree_of(arrays, dims={"theta": ["school"]}, coords={"school": ["Choate", "Deerfield"]})
    posterior = posterior_of(tree)
    assert names(posterior) == ["mu", "theta[Choate]", "theta[Deerfield]", "x[0, 0]", "x[0, 1]"]
    assert count_quantities(posterior) == 5


@pytest.mark.parametrize("labels", [["a", "b", "a"], np.array([1, 1.0, "1"], dtype=object)])
def test_quantities_are_named_by_position_where_two_labels_read_alike(tree_of, labels):
    arrays = {"theta": np.zeros((2, 5, 3)), "x": np.zeros((2, 5, 2, 3))}
    dims, coords = {"theta": ["who"], "x": ["school", "who"]}, {"school": ["A", "B"], "who": labels}
    named = names(posterior_of(tree_of(arrays, dims=dims, coords=coords)))
    assert named[:5] == ["theta[0]", "theta[1]", "theta[2]", "x[A, 0]", "x[A, 1]"]
    assert names_online(arrays, dims, coords) == named


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        (["a", "a, b"], ["b, c", "c"], ["x[0, 0]", "x[0, 1]", "x[1, 0]", "x[1, 1]"]),
        (["a", "a, b"], ["c", "d"], ["x[a, c]", "x[a, d]", "x[a, b, c]", "x[a, b, d]"]),
        (["a, 1", "b"], ["c, 1", "d"], ["x[a, 1, c, 1]", "x[a, 1, d]", "x[b, c, 1]", "x[b, d]"]),
    ],
)
def test_quantities_are_named_by_position_where_labels_of_two_axes_run_together(
    tree_of, first, second, named
):
    arrays, dims, coords = {"x": np.zeros((2, 5, 2, 2))}, {"x": ["p", "q"]}, {"p": first, "q": second}
    assert names(posterior_of(tree_of(arrays, dims=dims, coords=coords))) == named
    assert names_online(arrays, dims, coords) == named


def test_what_of_a_label_cannot_be_printed_is_written_out(tree_of):
    arrays, dims = {"theta": np.zeros((2, 5, 3))}, {"theta": ["who"]}
    coords = {"who": ["a\nb", "\x1b[31mé", "\u202eevil"]}
    named = names(posterior_of(tree_of(arrays, dims=dims, coords=coords)))
    assert named == ["theta[a\\nb]", "theta[\\x1b[31mé]", "theta[\\u202eevil]"]
    assert names_online(arrays, dims, coords) == named


def test_quantities_have_the_labels_that_groups_share_at_the_root_of_a_tree():
    posterior = xr.Dataset({"theta": (("chain", "draw", "school"), np.zeros((2, 5, 2)))})
    shared = xr.Dataset(coords={"school": ["Choate", "Deerfield"]})
    tree = xr.DataTree.from_dict({"/": shared, "posterior": posterior})
    assert names(posterior_of(tree)) == ["theta[Choate]", "theta[Deerfield]"]


def test_each_name_comes_with_its_own_draws(tree_of):
    values = np.random.default_rng(1).normal(size=(2, 5, 3, 2))
    (part,) = quantities(posterior_of(tree_of({"x": values})), ["x"])
    np.testing.assert_array_equal(part.draws[part.names.index("x[2, 1]")], values[:, :, 2, 1])


def test_a_stride_runs_through_all_variables(tree_of):
    arrays = {"a": np.zeros((1, 4, 5)), "b": np.zeros((1, 4)), "c": np.zeros((1, 4, 6))}
    assert names(posterior_of(tree_of(arrays)), stride=3) == ["a[0]", "a[3]", "c[0]", "c[3]"]


def test_an_unknown_variable_is_refused_with_the_nearest_known(tree_of):
    posterior = posterior_of(tree_of({"theta": np.zeros((1, 4)), "mu": np.zeros((1, 4))}))
    with pytest.raises(SettingsError, match="did you mean 'theta'"):
        chosen_variables(posterior, ["tehta"])
    with pytest.raises(SettingsError, match="there are theta, mu"):
        chosen_variables(posterior, "sigma_of_something")
    assert chosen_variables(posterior, "mu") == ["mu"]


def test_a_tree_without_posterior_is_refused_with_what_it_has(tree_of):
    with pytest.raises(SettingsError, match="this one has observed_data"):
        posterior_of(tree_of({}, observed_data={"y": np.zeros(3)}))


@pytest.mark.parametrize("given", [None, 3, xr.Dataset({"mu": ("draw", np.zeros(3))})])
def test_what_is_no_tree_is_refused_with_how_to_make_one(given):
    kind = type(given).__name__
    with pytest.raises(SettingsError, match=rf"got one of type {kind}: write xarray.DataTree.from_dict"):
        posterior_of(given)


@pytest.mark.parametrize("given", [3, [1], ["mu", None]])
def test_names_that_are_none_are_refused(tree_of, given):
    with pytest.raises(SettingsError, match="var_names must be a name, a list of names, or None, got"):
        chosen_variables(posterior_of(tree_of({"mu": np.zeros((1, 4))})), given)


def test_a_variable_without_draws_is_refused_by_name(tree_of):
    posterior = posterior_of(tree_of({"mu": np.zeros((1, 4))})).assign(mean=("chain", [1.0]), one=1.0)
    with pytest.raises(
        SettingsError, match="mean must have the dimensions chain and draw, it has chain: take"
    ):
        names(posterior)
    with pytest.raises(SettingsError, match="one must have the dimensions chain and draw, it has none"):
        list(quantities(posterior, ["one"]))


@pytest.mark.parametrize("value", ["a", np.datetime64("2026-01-01", "ns"), 1j, None])
def test_a_variable_of_no_numbers_is_refused_by_name(value):
    draws = np.full((2, 5), value)
    posterior = xr.Dataset({"mu": (("chain", "draw"), np.zeros((2, 5))), "kind": (("chain", "draw"), draws)})
    with pytest.raises(
        SettingsError, match=r"kind must hold real numbers, it holds .*: take .* by drop_vars"
    ):
        names(posterior)
    assert list(quantities(posterior, ["mu"]))
