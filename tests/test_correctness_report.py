"""The page of what statistical tests measured has a row for every figure, and for every test without one."""

import pytest

from tests.correctness_report import Case, page

pytest_plugins = ["pytester"]

TESTS = '''
"""What is measured here.

References:
  Nobody (1900).
"""

import pytest


@pytest.mark.parametrize("size", ["small", "large|huge"])
def test_two_figures_each(measured, size):
    """Fails with one seed in ten."""
    measured("error, in metres", 0.123456, "< 1")
    measured("draws", 12345.6, "at least 1000")


def test_a_figure_over_its_bound(measured):
    measured("error, in metres", 2.0, "< 1")
    assert False


def test_that_ends_before_its_figure(measured):
    pytest.fail("INCONCLUSIVE")


@pytest.mark.skip(reason="no data")
def test_without_its_data(measured):
    measured("never", 0.0, "< 1")


def test_of_something_else():
    pass
'''
ROWS = [
    "|  | error, in metres | 2.000 | < 1 | failed |",
    "|  | none was reached |  |  | failed |",
    "| large\\|huge | error, in metres | 0.1235 | < 1 | passed |",
    "| large\\|huge | draws | 12,346 | at least 1000 | passed |",
    "| small | error, in metres | 0.1235 | < 1 | passed |",
    "| small | draws | 12,346 | at least 1000 | passed |",
    "|  | none was reached |  |  | skipped |",
]


@pytest.fixture
def page_of(pytester, monkeypatch):
    """Return a function that runs tests in a session of their own and returns the page, or None."""
    path = pytester.path / "page.md"
    monkeypatch.setenv("EXMC_REPORT", str(path))
    # The other plugins take seconds in each process.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(tests, *arguments):
        pytester.makepyfile(tests)
        pytester.runpytest("-p", "tests.correctness_report", *arguments)
        return path.read_text() if path.exists() else None

    return run


def rows(text):
    return [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| case")]


def test_no_figure_and_no_test_without_one_is_lost(page_of):
    text = page_of(TESTS)
    assert rows(text) == ROWS
    assert "**5 figures of 5 tests: 2 failed, 2 passed, 1 skipped**" in text


def test_nothing_is_lost_between_processes_and_one_that_dies_has_failed(page_of):
    dies = "\n\ndef test_a_death(measured):\n    import os\n    os._exit(1)\n"
    text = page_of(TESTS + dies, "-p", "xdist", "-n", "1")
    assert rows(text) == ["|  | none was reached |  |  | failed |", *ROWS]


def test_the_page_says_what_the_tests_say_of_themselves(page_of):
    text = page_of(TESTS)
    assert "\nWhat is measured here.\n" in text
    assert "\n### Two figures each\n\nFails with one seed in ten.\n" in text
    assert "Nobody" not in text


def test_the_order_in_which_tests_end_changes_nothing():
    cases = [Case(f"tests/test_{file}.py::test_x[{case}]") for file in "ab" for case in "cd"]
    assert page(cases) == page(reversed(cases))


def test_a_session_that_is_broken_off_leaves_the_page_as_it_was(page_of):
    before = page_of(TESTS)
    broken_off = (
        "import pytest\n\ndef test_x(measured):\n    measured('draws', 1, '> 0')\n    pytest.exit()\n"
    )
    assert page_of(broken_off) == before


def test_nothing_is_written_unasked(page_of, monkeypatch):
    monkeypatch.delenv("EXMC_REPORT")
    assert page_of(TESTS) is None
