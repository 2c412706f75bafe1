"""Every program in the README and the docs runs, and prints what stands below it."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
PROGRAM = re.compile(r"^```python\n(.*?)^```\n(?:```text\n(.*?)^```)?", re.MULTILINE | re.DOTALL)
README_LINES = 120
EXTRAS = ("numpyro", "pymc")
# The others import JAX, each in a process of its own.
QUICK = {ROOT / "README.md", ROOT / "docs" / "supervision.md", ROOT / "docs" / "supervision"}


def programs():
    for page in PAGES:
        for number, match in enumerate(PROGRAM.finditer(page.read_text()), 1):
            name = f"{page.relative_to(ROOT)}#{number}"
            marks = [] if QUICK & {page, page.parent} else [pytest.mark.slow]
            marks += [
                pytest.mark.skipif(find_spec(extra) is None, reason=f"{extra} is not installed")
                for extra in EXTRAS
                if f"import {extra}" in match.group(1)
            ]
            yield pytest.param(match.group(1), match.group(2), id=name, marks=marks)


@pytest.mark.parametrize(("program", "expected"), list(programs()))
def test_a_program_in_the_docs_prints_what_the_docs_say(program, expected):
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    if expected is not None:
        assert ran.stdout == expected


def test_the_readme_fits_its_length_and_its_programs_are_found():
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= README_LINES
    assert len(PROGRAM.findall(text)) == 2


@pytest.mark.parametrize("page", [*PAGES, *ROOT.glob("*.md")], ids=lambda page: page.name)
def test_every_link_to_a_file_of_the_project_leads_somewhere(page):
    for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_each_word_of_the_glossary_is_explained_once():
    text = (ROOT / "docs" / "glossary.md").read_text()
    words = [word for row in re.findall(r"^\| (.+?) \|", text, re.MULTILINE)[1:] for word in row.split(", ")]
    assert [word for word in set(words) if words.count(word) > 1] == []


def test_the_page_on_the_wire_knows_every_message():
    text = (ROOT / "docs" / "remote.md").read_text()
    tags = re.findall(r"return \[\"(\w+)\"", (ROOT / "exmc_actors" / "wire" / "message_rows.py").read_text())
    assert len(tags) > 8
    assert [tag for tag in tags if f'`["{tag}"' not in text] == []


# A service runs until somebody stops it: see test_service.py.
EXAMPLES = sorted(set((ROOT / "examples").glob("*.py")) - {ROOT / "examples" / "06_service.py"})


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(example):
    subprocess.run([sys.executable, "-W", "error", example, "--quick"], check=True, timeout=120)
