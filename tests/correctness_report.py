"""Write what the statistical tests measured as a page: ``EXMC_REPORT=docs/correctness.md pytest -m slow``.

A test that takes the fixture ``measured`` stands on the page whatever becomes of it, also when it is skipped
or fails before it has a figure.  The words are the tests' own: their names, docstrings and names of figures.
"""

import os
import platform
from dataclasses import dataclass, field
from importlib.metadata import version
from inspect import cleandoc
from itertools import groupby
from pathlib import Path

import pytest

HEAD = """# Correctness: what was measured

What the slow tests that judge the sampler found, and what they allow: `make check-slow` runs them and writes
this page. A right sampler can fail a statistical test; the tests say how often, for a seed drawn at random.
Theirs are fixed, so that a figure changes only with the code, with JAX, or with the kind of processor.

- *In standard errors*: a deviation divided by the Monte Carlo error of what deviates. Of independent normal
  figures, one in 16,000 is off by four or more.
- *Effective draws*: as many independent draws would have the same Monte Carlo error.
- A test that could not have seen what matters fails as inconclusive; it does not pass.
- The outcome is that of the whole test, which may have several figures.
- A test that must see a fault put there on purpose has a bound that starts with `>`.

What dieharder says of the generators is in [random numbers](random_numbers.md).
"""
COLUMNS = "| case | figure | found | allowed | outcome |\n|---|---|---|---|---|"
OK, SOME_FAILED = pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def measured(record_property):
    """Return a function that notes a figure before it is judged: ``measured("R-hat", 1.002, "< 1.01")``."""

    def note(figure, found, allowed):
        record_property("measured", (figure, _rounded(found), allowed))

    return note


def _rounded(found):
    return f"{found:,.0f}" if abs(found) >= 1000 else f"{found:#.4g}"


def pytest_itemcollected(item):
    # Properties travel with each report of the test, from the processes of xdist too.
    if "measured" in getattr(item, "fixturenames", ()):
        docs = [cleandoc(of.__doc__ or "").partition("\n\nReferences:")[0] for of in (item.module, item.obj)]
        item.user_properties.append(("says", tuple(docs)))


def pytest_configure(config):
    path = os.environ.get("EXMC_REPORT")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Report(Path(path)))


@dataclass
class Case:
    """One run of a test function: where it stands, what its authors say of it, and what it found."""

    node: str
    says: tuple[str, str] = ("", "")
    figures: list[tuple[str, str, str]] = field(default_factory=list)
    outcome: str = "passed"

    @property
    def file(self):
        return self.node.partition("::")[0]

    @property
    def function(self):
        return self.node.partition("::")[2].partition("[")[0]

    def rows(self):
        case = self.node.partition("[")[2].removesuffix("]")
        for figure in self.figures or [("none was reached", "", "")]:
            cells = (cell.replace("|", "\\|") for cell in (case, *figure, self.outcome))
            yield f"| {' | '.join(cells)} |"


class Report:
    """Collects the cases of a session, in the process that hears of all of them, and writes the page."""

    def __init__(self, path):
        self.path = path
        self.cases = {}

    def pytest_runtest_logreport(self, report):
        told = report.user_properties
        for says in (value for name, value in told if name == "says"):
            case = self.cases.setdefault(report.nodeid, Case(report.nodeid, tuple(says)))
            case.figures = [tuple(value) for name, value in told if name == "measured"]
        # Whose process died has a last report that tells nothing, and must not stay as its setup left it.
        if report.outcome != "passed" and report.nodeid in self.cases:
            self.cases[report.nodeid].outcome = report.outcome

    def pytest_sessionfinish(self, exitstatus):
        # A session that was broken off would leave a page that looks whole.
        if self.cases and exitstatus in (OK, SOME_FAILED):
            self.path.write_text(page(self.cases.values()))


def page(cases):
    """Return the page: a section a file, a table a test function, both in the order of their names."""
    ordered = sorted(cases, key=lambda case: case.node)
    parts = [HEAD, _summary(ordered)]
    for file, of_file in groupby(ordered, lambda case: case.file):
        of_file = list(of_file)
        parts += [f"## `{file}`\n", _paragraphs(of_file[0].says[0])]
        for function, of_function in groupby(of_file, lambda case: case.function):
            of_function = list(of_function)
            parts += [f"### {_sentence(function)}\n", _paragraphs(of_function[0].says[1])]
            parts += ["\n".join([COLUMNS, *(row for case in of_function for row in case.rows())]) + "\n"]
    return "\n".join(part for part in parts if part)


def _summary(cases):
    outcomes = [case.outcome for case in cases]
    counts = ", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in sorted(set(outcomes)))
    figures = sum(len(case.figures) for case in cases)
    system = f"Python {platform.python_version()}, JAX {version('jax')}, {platform.machine()}"
    return f"**{figures} figures of {len(cases)} tests: {counts}** ({system}).\n"


def _sentence(function):
    return function.removeprefix("test_").replace("_", " ").capitalize()


def _paragraphs(doc):
    return f"{doc}\n" if doc else ""
