"""A front door loads no more than it needs, and types what it offers."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("supervision", {"jax", "numpy", "msgpack", "exmc_actors"}),
        ("exmc_actors", {"jax", "numpy", "trio", "supervision"}),
        ("exmc_actors.kernel", {"trio", "supervision", "msgpack", "xarray"}),
        ("exmc_actors.chain", {"trio", "supervision", "xarray"}),
        ("exmc_actors.compiler", {"trio", "supervision", "exmc_actors.kernel"}),
        ("exmc_actors.elsewhere", {"numpyro", "pymc", "pytensor", "trio", "exmc_actors.chain"}),
        ("exmc_actors.plots", {"matplotlib", "jax", "arviz_stats"}),
        ("exmc_actors.cli", {"matplotlib", "jax", "numpy"}),
        ("exmc_actors.runtime", {"xarray", "pandas", "rich", "exmc_actors.views"}),
        ("exmc_actors.opening", {"xarray", "pandas", "rich", "arviz_stats", "h11"}),
    ],
)
def test_a_front_door_loads_no_more_than_it_needs(module, absent):
    code = f"import sys, {module}; print(*(set(sys.modules) & {absent!r}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""


def test_the_front_door_types_what_it_offers():
    """The stub beside the lazy front door names the same things from the same modules."""
    import exmc_actors

    stub = ast.parse((ROOT / "exmc_actors/__init__.pyi").read_text())
    typed = {
        alias.asname: node.module
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == exmc_actors._MODULE_OF
    for name in exmc_actors.__all__:
        assert getattr(exmc_actors, name) is not None


def test_what_a_result_needs_is_loaded_while_the_program_is_compiled():
    code = """
import sys
import exmc_actors as ex
from exmc_actors.runtime.executables import Executables

def noted(self, *asked, compile=Executables.compile):
    before = "xarray" in sys.modules
    compile(self, *asked)
    print(before, "xarray" in sys.modules)

Executables.compile = noted
builder = ex.Builder()
builder.rv("x", ex.Normal(0.0, 1.0))
ex.sample(builder.model(), draws=10, chains=1, tune=10, random_seed=1, progressbar=False)
"""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["False", "True"]
