"""The commands ``plot`` and ``report``: what they write, what they say, and the status they end with."""

import re

import numpy as np
import pytest
import xarray as xr

import exmc_actors as ex
from exmc_actors import cli


@pytest.fixture
def draws_file(tmp_path):
    values = np.random.default_rng(0).normal(size=(2, 40))
    posterior = xr.Dataset({"mu": (("chain", "draw"), values), "tau": (("chain", "draw"), np.exp(values))})
    path = tmp_path / "draws.nc"
    xr.DataTree.from_dict({"posterior": posterior}).to_netcdf(path, engine="h5netcdf")
    return path


def test_a_picture_is_written_where_it_should_be(draws_file, tmp_path, monkeypatch, capsys):
    out = tmp_path / "some.svg"
    assert cli.main(["plot", str(draws_file), "--kind", "forest", "--var", "tau", "--out", str(out)]) == 0
    assert capsys.readouterr().err == f"exmc: wrote {out}\n"
    assert ">tau</text>" in out.read_text()
    assert ">mu</text>" not in out.read_text()
    monkeypatch.chdir(tmp_path)
    assert cli.main(["plot", str(draws_file), "--kind", "forest"]) == 0
    assert capsys.readouterr().err == "exmc: wrote forest.png\n"
    assert (tmp_path / "forest.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["plot", "nowhere.nc"], "there is no file 'nowhere.nc'"),
        (["plot", "FOLDER"], "holds no run"),
        (["plot", "TEXT"], "is not a netCDF file of draws"),
        (["plot", "FILE", "--kind", "trcae"], "kind 'trcae' is unknown: did you mean 'trace'"),
        (
            ["plot", "FILE", "--var", "tua"],
            "has 'tua', which the posterior lacks: did you mean 'tau'",
        ),
        (["plot", "FILE", "--out", "a.pdf"], r"out must end with \.png or \.svg, got 'a\.pdf'"),
        (["plot", "FILE", "--out", "no/such/folder/a.png"], "out '.*' cannot be written"),
        (["plot", "FILE", "--kind", "ppc"], "make it by tree = ex.sample_posterior_predictive"),
        (["plot", "FILE", "--kind", "energy"], "the tree has no energy in sample_stats"),
        (["plot"], "the following arguments are required: DIR|FILE.nc"),
        (["report", "nowhere.nc"], "there is no file 'nowhere.nc'"),
        (["report", "FILE", "--out", "no/such/folder/a.html"], "out '.*' cannot be written"),
    ],
)
def test_what_the_user_typed_wrong_is_one_sentence_and_status_two(draws_file, capsys, arguments, sentence):
    text = draws_file.with_name("text.txt")
    text.write_text("no draws")
    places = {"FILE": str(draws_file), "FOLDER": str(draws_file.parent), "TEXT": str(text)}
    try:
        status = cli.main([places.get(argument, argument) for argument in arguments])
    except SystemExit as end:
        status = end.code
    said = capsys.readouterr()
    assert status == 2
    assert re.search(sentence, said.err), said.err
    assert said.err.startswith("exmc: ")
    assert len(said.err.strip().splitlines()) == 1
    assert said.out == ""


@pytest.mark.slow
def test_a_report_of_a_stored_run_shows_its_model_and_who_computed_it(tmp_path, capsys):
    b = ex.Builder()
    mu = b.rv("<script>", ex.Normal(0.0, 5.0))
    b.obs("y", ex.Normal(mu, 1.0), [1.0, 2.0, 3.0])
    ex.sample(b.model(), draws=500, random_seed=1, store=tmp_path / "run", progressbar=False)
    out = tmp_path / "report.html"
    assert cli.main(["report", str(tmp_path / "run"), "--out", str(out)]) == 0
    assert capsys.readouterr().err == f"exmc: wrote {out}\n"
    page = out.read_text()
    assert "&lt;script&gt; ~ Normal(0.0, 5.0)" in page
    assert "<script>" not in page
    assert "<dt>jaxlib</dt>" in page
