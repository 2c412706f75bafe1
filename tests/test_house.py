"""Every module says what it does, none is long or a dumping ground, broad excepts are a closed list."""

import ast
import re

import pytest

from tests.test_architecture import ROOT, modules

# Where an Exception of any kind may be caught, and why.
BROAD_EXCEPTS = {
    "supervision/process.py": "a process turns a crash into an exit reason",
    "supervision/attempts.py": "what one step of an end raises is logged, and keeps the others from nothing",
    "supervision/telemetry.py": "a telemetry handler that raises is detached",
    "exmc_actors/runtime/worker.py": "a worker's main: what a block raises is a reply",
    "exmc_actors/runtime/processes/answering.py": "a worker process's main: what a block raises is told",
    "exmc_actors/ahead.py": "what cannot be loaded ahead fails by its name where it is needed",
    "exmc_actors/model_file.py": "a user's model file may raise anything",
    "exmc_actors/portal.py": "what trio raises is raised again where asyncio asked",
    "exmc_actors/views/dashboard/connection.py": "what fails for one browser ends its request, and is logged",
    "exmc_actors/views/dashboard/server.py": "what fails in one connection ends no other, and is logged",
    "exmc_actors/cli.py": "the command line shows a sentence, not a traceback",
}

# Files over 300 lines say why in their first paragraph, in one of these ways.
LONGEST_FILE = 300
REASON = re.compile(r"[Ff]ile (is long because|as long as)")


def broad_excepts(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            caught = {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)} if node.type else {""}
            if caught & {"", "Exception", "BaseException"}:
                yield node.lineno, caught


def test_broad_excepts_are_a_closed_list_of_one_each_and_catch_no_base_exception():
    found = {}
    for _, path in modules():
        handlers = list(broad_excepts(path))
        if handlers:
            found[str(path.relative_to(ROOT))] = len(handlers)
            assert all(caught == {"Exception"} for _, caught in handlers), path
    assert found == dict.fromkeys(BROAD_EXCEPTS, 1)


def test_every_module_says_in_its_first_sentence_what_it_does():
    for name, path in modules():
        text = ast.get_docstring(ast.parse(path.read_text())) or ""
        first = text.splitlines()[0] if text else ""
        assert len(first) > 20, name


def test_no_file_is_long_without_saying_why():
    long = {}
    for _, path in modules():
        lines = len(path.read_text().splitlines())
        if lines > LONGEST_FILE:
            long[str(path.relative_to(ROOT))] = lines
    silent = {
        name: lines
        for name, lines in long.items()
        if not REASON.search(ast.get_docstring(ast.parse((ROOT / name).read_text())) or "")
    }
    assert not silent


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "misc"])
def test_no_module_is_a_dumping_ground(word):
    assert not [name for name, _ in modules() if name.rpartition(".")[2].startswith(word)]
