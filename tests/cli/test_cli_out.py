"""What commands write and print, where disk or output do not take it, or a reader has had enough."""

import os
import re
import subprocess
import tempfile
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import xarray

from exmc_actors import cli, cli_out, whole_files
from exmc_actors.errors import SamplingWarning
from exmc_actors.whole_files import write_netcdf
from tests.cli.test_cli import EXMC, MODEL, exmc

LITTLE_ROOM = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)); "
"""No file may be longer than some draws of one number are."""


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "some_model.py"
    path.write_text(MODEL)
    return path


@pytest.mark.slow
def test_draws_that_the_disk_does_not_take_are_summarised_and_the_old_file_stays(model_file, tmp_path):
    out = tmp_path / "draws.nc"
    out.write_text("of an earlier run")
    command = ["sample", str(model_file), "--draws", "20000", "--chains", "1", "--out", str(out)]
    ran = subprocess.run(
        [*EXMC[:-1], LITTLE_ROOM + EXMC[-1], *command],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 1, ran.stderr
    assert f"exmc: {out} cannot be written: File too large. It is as it was: " in ran.stderr
    assert ran.stdout.splitlines()[1].startswith("mu ")
    assert out.read_text() == "of an earlier run"
    assert sorted(tmp_path.iterdir()) == [out, model_file]


@pytest.mark.parametrize("command", ["sample", "resume", "export"])
def test_a_folder_that_cannot_be_written_to_is_refused_before_anything_is_done(
    command, model_file, tmp_path, monkeypatch, capsys
):
    def refused(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(tempfile, "mkdtemp", refused)
    given = {"sample": [str(model_file)], "resume": [str(tmp_path)], "export": [str(tmp_path)]}[command]
    where = [str(tmp_path / "x.nc")] if command == "export" else ["--out", str(tmp_path / "x.nc")]
    assert cli.main([command, *given, *where]) == 2
    said = capsys.readouterr()
    assert "x.nc' cannot be written: Read-only file system. Name another place." in said.err
    assert said.out == ""
    assert list(tmp_path.iterdir()) == [model_file]


def test_what_a_command_writes_lies_where_it_was_typed_though_the_model_goes_elsewhere(
    model_file, tmp_path, monkeypatch, capsys
):
    (tmp_path / "data").mkdir()
    model_file.write_text(f"import os\nos.chdir({str(tmp_path / 'data')!r})\n{MODEL}")
    monkeypatch.chdir(tmp_path)
    command = ["sample", str(model_file), "--draws", "100", "--chains", "1", "--seed", "1"]
    assert cli.main([*command, "--store", "run", "--out", "draws.nc"]) == 0
    assert (tmp_path / "run" / "head").exists()
    assert (tmp_path / "draws.nc").exists()
    assert list((tmp_path / "data").iterdir()) == []


def test_a_reader_that_has_had_enough_is_no_failure(tmp_path):
    values = np.random.default_rng(0).normal(size=(2, 100))
    group = xarray.Dataset({"mu": (("chain", "draw"), values)})
    write_netcdf(xarray.DataTree.from_dict({"posterior": group}), tmp_path / "draws.nc")
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        ran = subprocess.run(
            [*EXMC, "summary", str(tmp_path / "draws.nc")],
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    "error", [TypeError("no such type"), UnicodeEncodeError("utf-8", "a", 0, 1, "no text")]
)
def test_draws_that_a_file_cannot_hold_are_no_reason_to_lose_the_summary(
    error, tmp_path, monkeypatch, capsys
):
    def refused(*_):
        raise error

    monkeypatch.setattr(whole_files, "write_netcdf", refused)
    assert not cli_out.written(None, tmp_path / "draws.nc", None)
    assert (
        f"draws.nc cannot be written: {error}. It is as it was: name another place" in capsys.readouterr().err
    )


@pytest.fixture
def greek_draws(tmp_path):
    """A file with draws of a quantity whose name ASCII lacks."""
    import xarray as xr

    path = tmp_path / "draws.nc"
    values = np.random.default_rng(1).normal(size=(2, 100))
    posterior = xr.Dataset({"μ": (("chain", "draw"), values)})
    xr.DataTree.from_dict({"posterior": posterior}).to_netcdf(path)
    return path


def test_a_name_that_the_output_cannot_encode_is_printed_by_its_number(greek_draws):
    ran = exmc("summary", greek_draws, env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert (ran.returncode, ran.stderr) == (0, "")
    assert re.search(r"^\\u03bc +-?\d", ran.stdout, re.MULTILINE)


def test_a_closed_output_is_no_failure(greek_draws):
    closing = ["sh", "-c", 'exec "$@" >&-', "sh", *EXMC, "summary", str(greek_draws)]
    ran = subprocess.run(closing, capture_output=True, text=True, timeout=120, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_warnings_are_told_although_the_summary_cannot_be_printed(monkeypatch, capsys):
    def make():
        warnings.warn("some doubt", SamplingWarning, stacklevel=1)
        return SimpleNamespace(attrs={})

    def fail(tree):
        raise OSError("no space")

    monkeypatch.setattr(cli, "_print_summary", fail)
    with pytest.raises(OSError, match="no space"):
        cli._shown(make)
    assert capsys.readouterr().err == "exmc: warning: some doubt\n"
