"""The program exmc: what it prints, and the status it ends with."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from exmc_actors import cli
from exmc_actors.model_file import load_model

EXMC = [sys.executable, "-c", "import sys; from exmc_actors.cli import main; sys.exit(main())"]

MODEL = """
import exmc_actors as ex
b = ex.Builder()
mu = b.rv("mu", ex.Normal(0.0, 5.0))
b.obs("y", ex.Normal(mu, 1.0), [1.0, 2.0, 3.0])
model = b.model()
other = model
builder = b
number = 3
"""


DATACLASS = """
from __future__ import annotations
from dataclasses import dataclass

@dataclass
class Record:
    x: int
"""

# Some thousand draws a second: what an interrupted run leaves must be summarised too.
SLOW_MODEL = """
import numpy as np
import exmc_actors as ex
b = ex.Builder()
mu = b.rv("mu", ex.Normal(0.0, 5.0))
b.obs("y", ex.StudentT(4.0, mu, 1.0), np.linspace(-2.0, 5.0, 3000))
model = b.model()
"""


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "some_model.py"
    path.write_text(MODEL)
    return path


def exmc(*arguments, **options):
    return subprocess.run(
        [*EXMC, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False, **options
    )


def test_sample_prints_progress_a_summary_and_ends_with_zero(model_file, tmp_path):
    out = tmp_path / "draws.nc"
    ran = exmc("sample", model_file, "--draws", 500, "--chains", 2, "--seed", 1, "--out", out)
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"^mu +\d\.\d+", ran.stdout, re.MULTILINE)
    assert "finished: 1000/1000 draws, 2 chains" in ran.stderr
    again = exmc("summary", out)
    assert again.returncode == 0
    assert again.stdout == ran.stdout


@pytest.mark.slow
def test_the_same_seed_prints_the_same_and_a_name_chooses_the_model(model_file):
    arguments = ("sample", f"{model_file}:other", "--draws", 200, "--seed", 3)
    assert exmc(*arguments).stdout == exmc(*arguments).stdout


@pytest.mark.slow
def test_a_stored_run_is_summarised_and_goes_on_to_what_it_would_have_been(model_file, tmp_path):
    store = tmp_path / "run"
    arguments = ("--chains", 2, "--seed", 1)
    first = exmc("sample", model_file, "--draws", 200, *arguments, "--store", store)
    assert first.returncode == 0, first.stderr
    assert exmc("summary", store).stdout == first.stdout
    out = tmp_path / "out.nc"
    exported = exmc("export", store, out, "--warmup")
    assert (exported.returncode, exported.stdout, exported.stderr) == (0, "", f"exmc: wrote {out}\n")
    assert exmc("summary", out).stdout == first.stdout
    assert exmc("export", store, out).returncode == 2
    refused = exmc("sample", model_file, *arguments, "--store", store)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "holds a run already: go on with it by ex.resume" in refused.stderr
    longer = exmc("resume", store, "--draws", 400)
    assert longer.returncode == 0, longer.stderr
    assert "finished: 800/800 draws, 2 chains" in longer.stderr
    assert longer.stdout == exmc("sample", model_file, "--draws", 400, *arguments).stdout
    more = exmc("resume", store, "--chains", 3)
    assert more.returncode == 0, more.stderr
    assert "finished: 1200/1200 draws, 3 chains" in more.stderr


@pytest.mark.slow
def test_workers_that_are_processes_print_what_threads_print(model_file, tmp_path):
    arguments = ("--draws", 200, "--chains", 2, "--seed", 1, "--store", tmp_path / "run")
    ran = exmc("sample", model_file, *arguments, "--workers", "process")
    assert ran.returncode == 0, ran.stderr
    longer = exmc("resume", tmp_path / "run", "--draws", 300, "--workers", "process")
    assert longer.returncode == 0, longer.stderr
    assert longer.stdout == exmc("sample", model_file, "--draws", 300, *arguments[2:6]).stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["sample", "FILE", "--workers", "thraed"], r"argument --workers: invalid choice: 'thraed'"),
        (["sample", "nowhere.py"], r"there is no file 'nowhere.py'"),
        (["sample", "FILE:nothing"], r"has no 'nothing': write .*:model.* Models in the file: model, other"),
        (["sample", "FILE:number"], r"'number' in .* is a int, not a Model"),
        (["sample", "FILE:builder"], r"is a Builder, not a Model\. Call its \.model\(\) in the file"),
        (
            ["sample", "FILE", "--draws", "0"],
            r"argument --draws: an integer of at least 1 is needed, got '0'",
        ),
        (["sample", "FILE", "--draws", "many"], r"an integer of at least 1 is needed, got 'many'"),
        (["sample", "FILE", "--out", "no/such/folder/x.nc"], r"--out .* cannot be written"),
        (["sample", "FILE", "--store", ""], r"argument --store: the name of a folder is needed, got ''"),
        (["sample"], r"the following arguments are required: FILE"),
        (["simple", "FILE"], r"invalid choice: 'simple'"),
        (["resume", "nowhere"], r"nowhere holds no run: give a folder that was named by store="),
        (["resume", "FOLDER"], r"holds no run"),
        (["summary", "FOLDER"], r"holds no run"),
        (["summary", "nowhere.nc"], r"there is no file 'nowhere.nc'"),
        (["export", "FOLDER", "FOLDER/x.csv"], r"give a name that ends in \.zarr or in \.nc"),
        (["export", "FOLDER", "FOLDER/x.nc"], r"holds no run"),
        (["summary", "FILE"], r"is not a netCDF file of draws"),
    ],
)
def test_what_the_user_typed_wrong_is_one_sentence_and_status_two(model_file, capsys, arguments, sentence):
    places = {"FILE": str(model_file), "FOLDER": str(model_file.parent)}
    arguments = [re.sub("FILE|FOLDER", lambda found: places[found[0]], argument) for argument in arguments]
    try:
        status = cli.main(arguments)
    except SystemExit as end:
        status = end.code
    said = capsys.readouterr()
    assert status == 2
    assert re.search(sentence, said.err), said.err
    assert said.err.startswith("exmc: ")
    assert "Traceback" not in said.err
    assert said.out == ""


def test_a_file_may_hold_what_any_module_may(tmp_path):
    path = tmp_path / "with_dataclass.py"
    path.write_text(DATACLASS.lstrip() + MODEL)
    assert load_model(str(path)).free


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("x = 1\n1/0", r"broken\.py, line 2: ZeroDivisionError: division by zero"),
        ("x = 1\ny = 2\nthis is no python", r"broken\.py, line 3: this is not Python: invalid syntax"),
        ("import not_there_at_all", r"line 1: ModuleNotFoundError: No module named 'not_there_at_all'"),
        ("import sys; sys.exit(0)", r"broken\.py ended the program by sys.exit\(0\)"),
        ("x = 1", r"has no 'model': build one with exmc_actors.Builder"),
        ("import exmc_actors as ex\nb = ex.Builder()\nb.rv('mu', ex.Normal('tau', 1.0))", "line 3: .*'tau'"),
    ],
)
def test_a_file_that_builds_no_model_is_one_sentence_and_status_two(
    tmp_path, monkeypatch, capsys, source, sentence
):
    (tmp_path / "broken.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["sample", "broken.py"]) == 2
    said = capsys.readouterr().err
    assert re.search(sentence, said), said
    assert len(said.strip().splitlines()) == 1


@pytest.mark.slow
def test_work_that_fails_is_one_sentence_and_status_one(tmp_path):
    path = tmp_path / "impossible.py"
    path.write_text(MODEL.replace("model =", "b.potential('wall', ex.math.log(-ex.math.exp(mu)))\nmodel ="))
    ran = exmc("sample", path, "--draws", 50)
    assert ran.returncode == 1
    assert "not finite: wall (nan)" in ran.stderr
    assert "Traceback" not in ran.stderr
    shown = exmc("--debug", "sample", path, "--draws", 50)
    assert "Traceback" in shown.stderr


def test_a_log_density_that_cannot_be_compiled_is_one_sentence_too(tmp_path):
    path = tmp_path / "broken_density.py"
    path.write_text(
        "import jax.numpy as jnp, numpy as np\nimport exmc_actors as ex\n"
        "model = ex.LogDensity(lambda q: jnp.dot(q, jnp.zeros(3)), np.zeros(2))\n"
    )
    ran = exmc("sample", path)
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert "could not be started: TypeError" in ran.stderr


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_committed_and_ends_with_130(tmp_path):
    path = tmp_path / "slow_model.py"
    path.write_text(SLOW_MODEL)
    # A shell's background job ignores SIGINT, and so do its children unless they say otherwise.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    running = subprocess.Popen(
        [
            *EXMC[:-1],
            heed + EXMC[-1],
            "sample",
            str(path),
            "--draws",
            "1000000000",
            "--tune",
            "50",
            "--chains",
            "1",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for line in running.stderr:
            if line.startswith("sampling: "):
                break
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=100)
    finally:
        running.kill()
    assert running.returncode == 130, err
    assert re.search(r"^mu +", out, re.MULTILINE)
    assert re.search(r"interrupted: \d+ of 1000000000 draws of each chain were kept", err)


def test_version_is_printed_without_loading_jax():
    code = """
import sys
from exmc_actors import cli
try:
    cli.main(["--version"])
finally:
    print("jax" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert re.match(r"exmc \d+\.\d+\.\d+\nFalse\n", ran.stdout)


@pytest.mark.slow
def test_the_demonstration_heals_a_chain_and_proves_the_replay():
    ran = exmc("demo", "--draws", 20000, env=os.environ | {"COLUMNS": "200"}, cwd=Path(__file__).parent)
    assert ran.returncode == 0, ran.stderr
    assert "Killed chain 2 on purpose" in ran.stdout
    assert re.search(r"went on from its last commit, at draw [\d,]+\.", ran.stdout)
    assert "theta[Choate]" in ran.stdout
    assert "gives identical draws" in ran.stdout


def test_a_run_ends_when_it_has_converged_and_says_so(model_file, capsys):
    arguments = ["sample", str(model_file), "--draws", "20000", "--seed", "1"]
    assert cli.main([*arguments, "--until-converged", "--max-time", "10 min"]) == 0
    assert "exmc: converged: R-hat at most 1.01" in capsys.readouterr().err


def test_a_time_limit_that_is_none_is_refused(model_file, capsys):
    assert cli.main(["sample", str(model_file), "--max-time", "soon"]) == 2
    assert "got 'soon'" in capsys.readouterr().err
