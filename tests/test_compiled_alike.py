"""All that this library compiles is compiled with its options: without them XLA may call a faulty library."""

import ast
import re
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "exmc_actors"
COMPILES = re.compile(r"jax\.jit\(|partial\(jax\.jit|.*lower\w*(\(.*\))?\.compile\(", re.DOTALL)


def compilations(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and COMPILES.match(text := ast.unparse(node)):
            yield text


def test_all_that_is_compiled_has_the_options_of_this_library():
    """What ``jax.jit`` returns with ``keep_unused`` is lowered there, and compiled with them elsewhere."""
    calls = {
        (path.relative_to(PACKAGE).as_posix(), text)
        for path in PACKAGE.rglob("*.py")
        if path.name != "xla.py"
        for text in compilations(path)
    }
    assert len(calls) > 5
    without = {call for call in calls if "compiler_options()" not in call[1]}
    assert {call for call in without if "keep_unused=True" not in call[1]} == set()
    # The hull of what is loaded from a file, which runs none of its own code.
    assert {file for file, text in without if ".compile(" in text} == {"runtime/executable_files.py"}
