"""The report: one file that says everything and asks for nothing."""

import re

import numpy as np
import pytest

from exmc_actors.errors import SettingsError
from exmc_actors.plots import report
from exmc_actors.plots.facts import divergences_of, settings_of, table_of, warnings_of

ATTRS = {
    "inference_library": "exmc_actors",
    "inference_library_version": "0.1.0",
    "created_at": "2026-01-02T03:04:05.678+00:00",
    "random_seed": 7,
    "chains": 6,
    "draws": 60,
    "device": "cpu:0",
    "folded": 1,
    "sampling_time": 1.23456,
    "chain_restarts": [0, 2, 0, 0, 0, 1],
    "stopped": "converged after 60 draws",
    "failed_reasons": ["chain 1: <b>broke</b>", "chain 5: broke"],
    "interrupted": 1,
    "their_own": "<i>",
}


@pytest.fixture
def doubtful(draws, tree_of, stats_of, dataset):
    values = draws(2)
    values[0, :, 1] += 30.0
    apart = dataset({"theta": draws(2, chains=2)}).assign_coords(chain=[1, 5])
    tree = tree_of(
        {"<script>alert(1)": draws(seed=4), "theta": values},
        sample_stats=stats_of((0, 5), (0, 6), (3, 50)),
        failed_posterior=apart,
    )
    tree["posterior"] = tree["posterior"].to_dataset().assign_coords(theta_dim_0=["<u>", "</main>"])
    tree.attrs.update(ATTRS)
    return tree


def test_what_was_run_is_told_in_words(doubtful):
    told = dict(settings_of(doubtful, {"jax": "0.10", "device": "cpu:0"}))
    assert told["random seed"] == "7"
    assert told["time"] == "1.23 s"
    assert told["result made at"] == "2026-01-02 03:04 UTC"
    assert told["restarts, by chain"] == "0, 2, 0, 0, 0, 1"
    assert told["stopped because"] == "converged after 60 draws"
    assert told["folded into one kernel"] == "yes"
    assert told["kept"] == "4 chains of 60 draws"
    assert told["jax"] == "0.10"
    assert told["their_own"] == "<i>"


def test_every_reason_to_doubt_is_told(doubtful):
    told = " ".join(warnings_of(doubtful))
    assert "3 of 240 draws diverged" in told
    assert "R-hat is above 1.01" in told
    assert "2 of 6 chains gave up: chain 1: <b>broke</b>. chain 5: broke." in told
    assert "The run was interrupted: 60 draws of each chain were kept." in told
    assert divergences_of(doubtful) == [
        ("all chains", "3 of 240 draws"),
        ("chain 0", "2 of 60"),
        ("chain 3", "1 of 60"),
    ]


def test_the_summary_judges_each_scalar_in_words(draws, tree_of):
    good = draws(draws=600)
    apart = good + np.array([0.0, 0.0, 0.0, 9.0])[:, None]
    rows, left_out = table_of(tree_of({"good": good, "apart": apart, "nan": np.full((4, 600), np.nan)}))
    verdicts = {row.cells[0]: (row.verdict, row.is_good) for row in rows}
    assert verdicts == {
        "good": ("good", True),
        "apart": ("chains disagree, too few effective draws", False),
        "nan": ("cannot be judged", False),
    }
    assert left_out is None


def test_the_summary_of_a_thousand_scalars_is_cut_and_says_so(draws, tree_of):
    values = draws(1000)
    values[0, :, 500] += 9.0
    rows, left_out = table_of(tree_of({"theta": values}))
    assert len(rows) == 100
    assert "theta[500]" in {row.cells[0] for row in rows}
    assert left_out == "100 of 1,000 quantities are shown, those with the highest R-hat."


@pytest.mark.slow
def test_a_report_is_one_file_that_loads_and_runs_nothing(doubtful, tmp_path, page):
    path = report(doubtful, tmp_path / "report.html", model="mu ~ <Normal>")
    source = path.read_text()
    found = page(source)
    assert found.of("script") == found.of("link") == found.of("iframe") == []
    assert all(image["src"].startswith("data:image/png;base64,") for image in found.of("img"))
    assert not re.search(r"(?:src|href)=\"(?!data:)|url\(|https?:|@import", source)
    (policy,) = [one["content"] for one in found.of("meta") if "http-equiv" in one]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert len(found.of("img")) == 5  # trace, rank, energy, forest, pair: nothing was predicted
    assert all(image["alt"] for image in found.of("img"))


@pytest.mark.slow
def test_whatever_a_user_writes_stays_text(doubtful, tmp_path, page):
    found = page(report(doubtful, tmp_path / "report.html", model="<Normal>").read_text())
    for text in ("<script>alert(1)", "theta[<u>]", "theta[</main>]", "<Normal>", "<i>", "<b>broke</b>"):
        assert text in found.text
    assert not found.of("b")
    assert not found.of("u")


@pytest.mark.slow
def test_a_report_of_good_draws_says_so(draws, tree_of, stats_of, tmp_path, page):
    tree = tree_of({"mu": draws(draws=600)}, sample_stats=stats_of(draws_each=600))
    found = page(report(tree, tmp_path / "report.html").read_text())
    assert "No diagnostic gives a reason to doubt these draws." in found.text
    assert "The model" not in found.text
    assert len(found.of("img")) == 4  # one quantity has no pairs


def test_a_report_that_cannot_be_written_is_refused(draws, tree_of, tmp_path):
    with pytest.raises(SettingsError, match="cannot be written: give a file in a folder that is there"):
        report(tree_of({"mu": draws()}), tmp_path / "no" / "report.html")
    with pytest.raises(SettingsError, match=r"an xarray\.DataTree is expected, got 'x': write ex\.load"):
        report("x", tmp_path / "report.html")


def test_of_a_posterior_that_was_thinned_the_statistics_still_are_of_all_draws(
    draws, tree_of, stats_of, page, tmp_path
):
    tree = tree_of({"mu": draws(), "tau": draws(seed=1)}, sample_stats=stats_of((3, 3)))
    tree["posterior"] = tree.posterior.to_dataset().isel(chain=[0, 1], draw=slice(None, None, 2))
    found = page(report(tree, tmp_path / "report.html").read_text())
    assert "2 chains of 30 draws" in found.text
    assert "1 of 240 draws" in found.text
    assert "chain 3" in found.text
