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
