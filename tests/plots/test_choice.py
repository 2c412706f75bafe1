"""Which quantities a picture shows, and what it says of the others."""

import numpy as np
import pytest
import xarray as xr

from exmc_actors.errors import SettingsError
from exmc_actors.plots.choice import choose


def test_all_scalars_are_shown_where_they_fit(draws, tree_of):
    values = draws(3)
    found = choose(tree_of({"theta": values, "mu": draws(seed=1)}), None, 4)
    assert found.names == ["theta[0]", "theta[1]", "theta[2]", "mu"]
    np.testing.assert_array_equal(found.draws[1], values[:, :, 1])
    assert found.notes == ()


def test_of_a_thousand_scalars_those_with_the_highest_r_hat_are_shown_and_it_is_said(draws, tree_of):
    values = draws(1000)
    values[0, :, [7, 700]] += 20.0
    found = choose(tree_of({"theta": values, "mu": draws(seed=1)}), None, 2)
    assert found.names == ["theta[7]", "theta[700]"]
    assert found.notes == ("2 of 1,001 quantities are shown, those with the highest R-hat.",)


def test_draws_that_are_not_finite_come_first_and_constants_last(draws, tree_of):
    values = draws(4)
    values[:, :, 0] = 1.0
    values[1, 3, 2] = np.inf
    found = choose(tree_of({"theta": values}), None, 3)
    assert found.names == ["theta[1]", "theta[2]", "theta[3]"]
    assert choose(tree_of({"theta": values}), None, 1).names == ["theta[2]"]


def test_variables_and_scalars_are_chosen_by_name(draws, tree_of):
    tree = tree_of({"mu": draws(), "theta": draws(3), "tau": draws(2)})
    assert choose(tree, "theta", 9).names == ["theta[0]", "theta[1]", "theta[2]"]
    assert choose(tree, ["tau", "theta[1]"], 9).names == ["tau[0]", "tau[1]", "theta[1]"]
    assert choose(tree, ["tau", "theta[1]"], 1).notes[0].startswith("1 of 3 quantities")


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ("tua", "var_names has 'tua', which the posterior lacks: did you mean 'tau'"),
        ("theta[9]", r"var_names has 'theta\[9\]', which the posterior lacks"),
        ([], "var_names is empty, so that nothing would be plotted: leave it out"),
    ],
)
def test_an_unknown_name_is_refused(draws, tree_of, names, sentence):
    with pytest.raises(SettingsError, match=sentence):
        choose(tree_of({"tau": draws(), "theta": draws(2)}), names, 9)


def test_a_tree_without_draws_is_refused(draws, tree_of):
    with pytest.raises(SettingsError, match="has no draws to plot: sample first"):
        choose(tree_of({"mu": draws(draws=0)}), None, 9)
    with pytest.raises(SettingsError, match="a group 'posterior' is needed; this one has prior"):
        choose(xr.DataTree.from_dict({"prior": xr.Dataset()}), None, 9)


def test_divergences_and_chains_that_gave_up_are_known(draws, tree_of, stats_of, dataset):
    apart = dataset({"mu": draws(chains=2)}).assign_coords(chain=[1, 5])
    tree = tree_of({"mu": draws()}, sample_stats=stats_of((2, 7)), failed_posterior=apart)
    found = choose(tree, None, 9)
    assert np.argwhere(found.diverging).tolist() == [[2, 7]]
    assert found.notes == ("Chains 1, 5 gave up, and are not shown.",)


def test_two_scalars_may_have_one_name(draws, tree_of):
    tree = tree_of({"theta": draws(2), "theta[0]": draws(seed=1)})
    assert choose(tree, None, 9).names == ["theta[0]", "theta[1]", "theta[0]"]


def test_a_variable_without_elements_is_passed_over_and_alone_refused(draws, tree_of):
    tree = tree_of({"none": draws(0), "mu": draws(), "nothing": draws(2, 0)})
    assert choose(tree, None, 9).names == ["mu"]
    assert choose(tree, ["none", "mu"], 9).names == ["mu"]
    with pytest.raises(SettingsError, match="no elements to plot in none, nothing: name a variable"):
        choose(tree, ["none", "nothing"], 9)


def test_divergences_are_those_of_the_draws_that_the_posterior_has(draws, tree_of, stats_of):
    tree = tree_of({"mu": draws()}, sample_stats=stats_of((1, 3), (1, 4), (1, 30), (2, 3)))
    tree["posterior"] = tree.posterior.to_dataset().isel(chain=[1], draw=slice(3, None, 3))
    (diverging,) = choose(tree, None, 4).diverging
    assert np.flatnonzero(diverging).tolist() == [0, 9]


def test_statistics_of_other_draws_are_refused(draws, tree_of, stats_of):
    tree = tree_of({"mu": draws()}, sample_stats=stats_of())
    tree["posterior"] = tree.posterior.to_dataset().isel(draw=slice(30)).assign_coords(draw=range(100, 130))
    with pytest.raises(SettingsError, match="sample_stats has 4 chains of 60 draws, the posterior 4 of 30"):
        choose(tree, None, 4)
