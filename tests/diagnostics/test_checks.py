import numpy as np
import pytest
import xarray

from exmc_actors.diagnostics.checks import e_bfmi, problems


def test_good_draws_have_no_problems(good_posterior, good_stats, tree_of):
    assert problems(tree_of(good_posterior, good_stats)) == []


def test_divergences_are_counted_and_come_first(good_posterior, good_stats, tree_of):
    good_stats["diverging"][1, :12] = 1.0
    good_stats["reached_max_treedepth"][:] = 1.0
    first, second = problems(tree_of(good_posterior, good_stats))
    assert first.startswith("12 of 2000 draws diverged")
    assert "target_accept" in first
    assert "Reparameterise" in first
    assert second.startswith("2000 of 2000 draws reached the maximum tree depth")
    assert "max_treedepth" in second


def test_a_few_deep_trees_are_no_problem(good_posterior, good_stats, tree_of):
    good_stats["reached_max_treedepth"][0, :90] = 1.0
    assert problems(tree_of(good_posterior, good_stats)) == []


def test_disagreement_names_the_worst_quantities_first(good_posterior, tree_of):
    good_posterior["theta"][..., 3] += 0.5 * np.arange(4)[:, None]
    good_posterior["mu"] += 2.0 * np.arange(4)[:, None]
    sentence = problems(tree_of(good_posterior))[0]
    assert sentence.startswith("R-hat is above 1.01 for 2 of 10 quantities: mu (")
    assert sentence.index("mu") < sentence.index("theta[3]")


def test_chains_that_stand_still_apart_are_reported(good_posterior, tree_of):
    good_posterior["tau"][:] = np.arange(4.0)[:, None]
    assert "tau (over 100)" in problems(tree_of(good_posterior))[0]


def test_few_effective_draws_are_told_for_bulk_and_tail(autoregressive, good_posterior, tree_of):
    good_posterior["mu"] = autoregressive(1, 4, 500, correlation=0.97)[0]
    told = problems(tree_of(good_posterior))
    assert any(s.startswith("Bulk ESS is below 100 per chain for 1 of 10 quantities: mu (") for s in told)
    assert any(s.startswith("Tail ESS is below 100 per chain for 1 of 10 quantities: mu (") for s in told)
    assert all("raise draws" in s or "raise tune" in s for s in told)


def test_slow_energy_is_told_by_the_number_of_the_chain(autoregressive, good_posterior, good_stats, tree_of):
    good_stats["energy"][2] = autoregressive(1, 1, 500, correlation=0.95)[0, 0]
    (sentence,) = problems(tree_of(good_posterior, good_stats, chains=[0, 1, 5, 6]))
    assert sentence.startswith("E-BFMI is below 0.3 in 1 of 4 chains (chain 5: 0.")


def test_e_bfmi_is_two_for_independent_energies_and_falls_with_their_correlation(autoregressive):
    independent, slow = (
        autoregressive(1, 2, 50_000, correlation=0.0),
        autoregressive(1, 2, 50_000, correlation=0.9),
    )
    np.testing.assert_allclose(e_bfmi(independent[0]), 2.0, rtol=0.03)
    np.testing.assert_allclose(e_bfmi(slow[0]), 0.2, rtol=0.1)


def test_draws_that_are_not_finite_are_told_and_hide_nothing_else(good_posterior, tree_of):
    good_posterior["tau"][0, 0] = np.nan
    (sentence,) = problems(tree_of(good_posterior))
    assert sentence.startswith("1 of 10 quantities have draws that are not finite numbers, tau among them")


def test_of_a_large_model_some_quantities_are_looked_at_and_it_says_so(tree_of):
    apart = np.random.default_rng(1).normal(size=(4, 200, 1000)) + 3.0 * np.arange(4)[:, None, None]
    sentence = problems(tree_of({"x": apart}), most_numbers=80_000)[0]
    assert "100 of 100 quantities looked at (the model has 1000)" in sentence
    assert " and 97 more" in sentence


@pytest.mark.parametrize("draws", [0, 3])
def test_too_few_draws_are_not_judged(tree_of, draws):
    (sentence,) = problems(tree_of({"mu": np.zeros((4, draws))}))
    assert sentence.startswith(f"{draws} draws a chain are too few to judge")


def test_a_constant_is_no_problem(good_posterior, tree_of):
    good_posterior["tau"][:] = 1.0
    assert problems(tree_of(good_posterior)) == []


def test_statistics_without_any_of_those_that_are_looked_at_are_no_problem(good_posterior, tree_of):
    tree = tree_of(good_posterior)
    tree["sample_stats"] = xarray.DataTree()
    assert problems(tree) == []
