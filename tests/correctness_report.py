"""Write what the statistical tests measured as a table: ``EXMC_REPORT=docs/correctness.md pytest -m slow``.

Tests say what they measured by the fixture ``measured``; without the variable nothing is written.
"""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import pytest

HEAD = """# Correctness: what was measured

Written by `make check-slow`. Each row is one comparison of the slow tier: the worst that a test found, and
what it allows. A test with too few effective draws to see what matters fails as INCONCLUSIVE. Seeds are
fixed, so that a row changes only with the code, JAX, or the kind of processor.

"""
_rows: dict = {}


@pytest.fixture
def measured(record_property):
    """Return a function that notes what a test found: ``measured(what, found, allowed)``."""

    def note(what, found, allowed):
        record_property("measured", (what, f"{found:.3g}", allowed))

    return note


def pytest_runtest_logreport(report):
    if report.when == "call":
        for name, row in report.user_properties:
            if name == "measured":
                _rows.setdefault(report.nodeid, []).append((*row, report.outcome))


def pytest_sessionfinish(session):
    path = os.environ.get("EXMC_REPORT")
    if path and _rows and not hasattr(session.config, "workerinput"):
        Path(path).write_text(HEAD + _table() + _origin())


def _table():
    lines = ["| test | compares | found | allowed | |", "|---|---|---|---|---|"]
    for node, rows in sorted(_rows.items()):
        for what, found, allowed, outcome in rows:
            name = node.removeprefix("tests/").replace(".py::", ": ").replace("|", "/")
            lines.append(f"| {name} | {what} | {found} | {allowed} | {outcome} |")
    return "\n".join(lines) + "\n"


def _origin():
    return f"\nPython {platform.python_version()}, JAX {version('jax')}, {platform.machine()}.\n"
