import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from arviz_stats.base.array import array_stats

from exmc_actors.diagnostics.summary import COLUMNS, summary


def test_has_a_row_a_scalar_and_a_column_an_estimate(good_posterior, tree_of):
    table = summary(tree_of(good_posterior))
    assert list(table.columns) == list(COLUMNS)
    assert list(table.index) == ["mu", "tau", *(f"theta[{i}]" for i in range(8))]


def test_estimates_are_those_of_all_chains_together(good_posterior, tree_of):
    row = summary(tree_of(good_posterior), var_names="tau").loc["tau"]
    draws = good_posterior["tau"].ravel()
    assert row["mean"] == pytest.approx(draws.mean())
    assert row["sd"] == pytest.approx(draws.std(ddof=1))
    assert row[["q5", "q50", "q95"]].tolist() == pytest.approx(np.quantile(draws, [0.05, 0.5, 0.95]).tolist())


def test_shows_the_variables_asked_for_in_their_order(good_posterior, tree_of):
    assert list(summary(tree_of(good_posterior), var_names=["tau", "mu"]).index) == ["tau", "mu"]


def test_survives_constants_integers_and_draws_that_are_not_finite(tree_of):
    tree = tree_of(
        {"one": np.ones((2, 10)), "count": np.arange(20).reshape(2, 10), "far": np.full((2, 10), np.inf)}
    )
    table = summary(tree)
    assert table.loc["one", "mean"] == 1.0
    assert np.isnan(table.loc["one", "r_hat"])
    assert table.loc["count", "q50"] == 9.5
    assert np.isnan(table.loc["far", "ess_bulk"])


def test_numbers_near_the_greatest_have_their_estimates_without_a_warning(good_posterior, tree_of):
    signs = np.sign(good_posterior["mu"] - np.median(good_posterior["mu"]))
    table = summary(tree_of({"mu": good_posterior["mu"], "great": 1e308 * signs}))
    assert table.loc["great", "mean"] == pytest.approx(1e308 * signs.mean())
    assert table.loc["great", "sd"] == pytest.approx(1e308 * signs.std(ddof=1))
    assert np.isfinite(table.loc["great", ["ess_bulk", "ess_tail", "r_hat"]].astype(float)).all()


@pytest.mark.parametrize("unit", [2.0**-1000, 2.0**-80, 2.0**-40, 2.0**600, 2.0**1020])
def test_errors_do_not_depend_on_the_unit(autoregressive, tree_of, unit):
    draws = autoregressive(1, 4, 500, correlation=0.8)[0]
    one, other = (summary(tree_of({"x": draws * scale})).loc["x"] for scale in (1.0, unit))
    for column in ("mean", "sd", "mcse_mean", "mcse_sd"):
        assert other[column] == one[column] * unit, column


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_draws_of_single_precision_have_the_estimates_that_they_have_in_double(autoregressive, tree_of, unit):
    single = (unit * autoregressive(1, 4, 500, correlation=0.5)[0]).astype(np.float32)
    assert summary(tree_of({"x": single})).equals(summary(tree_of({"x": single.astype(float)})))


def test_errors_of_means_are_those_of_arviz(good_posterior, tree_of):
    draws = np.moveaxis(good_posterior["theta"], 2, 0) * np.geomspace(1e-3, 1e3, 8)[:, None, None]
    table = summary(tree_of({"x": np.moveaxis(draws, 0, 2)}))
    found = array_stats.mcse(draws, method="mean", chain_axis=1, draw_axis=2)
    np.testing.assert_allclose(table["mcse_mean"], found, rtol=1e-12)


def test_diagnostics_are_those_of_arviz(good_posterior, tree_of):
    draws = np.moveaxis(good_posterior["theta"], 2, 0)
    table = summary(tree_of({"x": good_posterior["theta"]}))
    for column, found in (
        ("ess_bulk", array_stats.ess(draws, method="bulk")),
        ("ess_tail", array_stats.ess(draws, method="tail", prob=(0.05, 0.95))),
        ("r_hat", array_stats.rhat(draws)),
    ):
        np.testing.assert_allclose(table[column], found, rtol=1e-9)


def test_the_halves_of_a_single_chain_are_compared(good_posterior, tree_of):
    steady, drifting = good_posterior["mu"][:1], good_posterior["mu"][:1].cumsum(axis=1)
    table = summary(tree_of({"steady": steady, "drifting": drifting}))
    assert table.loc["steady", "r_hat"] < 1.05 < table.loc["drifting", "r_hat"]


def test_loads_no_statistical_library(good_posterior, tree_of, tmp_path):
    np.save(tmp_path / "mu.npy", good_posterior["mu"])
    code = f"""
import sys
import numpy as np, xarray as xr
from exmc_actors.diagnostics import summary
draws = xr.Dataset({{"mu": (("chain", "draw"), np.load({str(tmp_path / "mu.npy")!r}))}})
summary(xr.DataTree.from_dict({{"posterior": draws}}))
print(sorted({{"scipy", "arviz_stats"}} & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_without_draws_every_estimate_is_open(tree_of):
    assert summary(tree_of({"mu": np.empty((4, 0)), "theta": np.empty((4, 0, 2))})).isna().all(axis=None)


def test_a_variable_without_elements_has_no_row(tree_of):
    tree = tree_of(
        {"none": np.empty((2, 10, 0)), "mu": np.zeros((2, 10)), "nothing": np.empty((2, 10, 3, 0))}
    )
    assert list(summary(tree).index) == ["mu"]
    assert list(summary(tree, var_names="none").index) == []


def test_is_the_same_from_a_file(good_posterior, tree_of, tmp_path):
    pytest.importorskip("h5py")
    tree = tree_of(good_posterior, dims={"theta": ["school"]}, coords={"school": list("abcdefgh")})
    tree.to_netcdf(tmp_path / "schools.nc", engine="h5netcdf")
    with xr.open_datatree(tmp_path / "schools.nc", engine="h5netcdf") as reopened:
        table = summary(reopened)
    assert table.equals(summary(tree))
    assert "theta[a]" in table.index
