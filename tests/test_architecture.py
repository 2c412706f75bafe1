"""Every import points downwards, and every module belongs to a floor."""

import ast
import sys
from importlib.util import resolve_name
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STANDARD = set(sys.stdlib_module_names)
# What computes and does nothing else: no clock, files, environment, threads, processes or network.
PURE = {
    "__future__",
    "abc",
    "collections",
    "contextlib",
    "dataclasses",
    "difflib",
    "weakref",
    "enum",
    "functools",
    "hashlib",
    "html",
    "inspect",
    "itertools",
    "json",
    "math",
    "numbers",
    "operator",
    "re",
    "statistics",
    "struct",
    "types",
    "typing",
    "uuid",
    "warnings",
    "zlib",
}
# Reading what these wrote runs whatever code it names, and it can be read by one version of a class only.
CODE_ON_READING = {"pickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
DECISIONS = {
    f"supervision.{name}"
    for name in (
        "backoff",
        "child",
        "errors",
        "exits",
        "intensity",
        "overflow",
        "plan",
        "signals",
        "strategy",
    )
}


def ours(*names):
    return {f"exmc_actors.{name}" for name in names}


# A floor, and everything that it may import besides itself. What is not in the table is not a floor.
MAY_IMPORT = {
    **dict.fromkeys(DECISIONS, PURE | DECISIONS),
    "supervision": STANDARD | DECISIONS | {"trio"},
    "exmc_actors.errors": set(),
    "exmc_actors.arguments": PURE | ours("errors"),
    "exmc_actors.messages": PURE | {"numpy"},
    # What processes tell each other, as bytes: files, pipes and sockets are for others.
    "exmc_actors.wire": PURE | ours("errors", "messages") | {"numpy", "msgpack"},
    "exmc_actors.xla": STANDARD | {"jax", "jaxlib"},
    "exmc_actors.garbage": PURE | {"gc", "os", "threading"},
    "exmc_actors.tracing": PURE | ours("garbage") | {"os", "sys", "threading"},
    "exmc_actors.blas": PURE | {"threading", "threadpoolctl"},
    "exmc_actors.exponential": {"jax"},
    "exmc_actors.kernel": PURE | ours("errors", "arguments", "exponential", "kernel.normal") | {"jax"},
    "exmc_actors.kernel.normal": PURE | {"decimal", "fractions", "jax", "numpy"},
    "exmc_actors.model": PURE | ours("errors", "exponential") | {"jax", "numpy", "msgpack"},
    "exmc_actors.warmup": PURE | ours("kernel") | {"jax", "numpy"},
    "exmc_actors.compiler": PURE | ours("errors", "arguments", "model", "xla", "blas") | {"jax", "numpy"},
    # Other libraries' models, as targets; these libraries are imported inside functions only.
    "exmc_actors.elsewhere": PURE
    | ours("errors", "model", "xla", "compiler")
    | {"importlib", "jax", "numpy", "numpyro", "pandas", "pymc", "pytensor"},
    "exmc_actors.chain": PURE | ours("errors", "messages", "kernel", "warmup") | {"jax", "numpy", "msgpack"},
    "exmc_actors.diagnostics": PURE
    | ours("errors", "arguments", "messages")
    | {"numpy", "xarray", "pandas", "arviz_stats"},
    "exmc_actors.runtime": STANDARD
    | ours(
        "errors",
        "arguments",
        "messages",
        "wire",
        "xla",
        "tracing",
        "blas",
        "kernel",
        "warmup",
        "chain",
        "compiler",
    )
    | {"jax", "msgpack", "numpy", "outcome", "trio", "supervision"},
    # Put around what a run is made of, for tests; nothing below a roof may know of it.
    "exmc_actors.faults": STANDARD
    | ours("errors", "messages", "chain", "runtime")
    | {"numpy", "trio", "supervision"},
    "exmc_actors.views": PURE
    | ours("errors", "arguments", "messages", "diagnostics")
    | {"numpy", "pandas", "rich", "trio", "supervision"},
    # What talks to browsers: a network, a token, and what the work itself costs.
    "exmc_actors.views.dashboard": PURE
    | ours("errors", "arguments", "messages", "wire", "diagnostics", "views")
    | {"importlib", "ipaddress", "logging", "secrets", "socket", "time", "urllib"}
    | {"h11", "numpy", "trio", "supervision"},
    # A run of another process, over a network.
    "exmc_actors.remote": PURE
    | ours("errors", "arguments", "messages", "wire")
    | {"ipaddress", "ssl", "urllib"}
    | {"h11", "trio", "supervision"},
    # Matplotlib is imported inside functions where a front door leads.
    "exmc_actors.plots": PURE
    | ours("errors", "diagnostics", "views")
    | {
        "base64",
        "html",
        "importlib",
        "io",
        "matplotlib",
        "numpy",
        "pandas",
        "pathlib",
        "threading",
        "xarray",
    },
}
# Floor 6: composition, and the only modules that may see everything.
ROOFS = ours("run", "control", "opening", "result", "sampling", "blocking", "demo", "cli") | {"exmc_actors"}

ROOFS |= ours("dashboard", "model_file", "predictive", "stored", "stopper", "portal")
ROOFS |= ours("asyncio", "asyncio.run", "asyncio.runtime", "asyncio.remote")
ROOFS |= ours("options", "run_process", "held_run", "slot", "many", "running", "where", "worker_main")
ROOFS |= ours("exporting", "draw_files", "run_arguments", "again", "cell", "moment")
ROOFS |= ours("ahead", "written", "cli_out", "cli_plots", "asked", "whole_files")


def floor_of(name):
    """Return the longest floor that ``name`` lies under, else its top-level package."""
    under = [floor for floor in MAY_IMPORT if f"{name}.".startswith(f"{floor}.")]
    return max(under, key=len, default=name.partition(".")[0])


def modules():
    for package in ("supervision", "exmc_actors"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield name, path


def imports_of(path):
    package = ".".join(path.relative_to(ROOT).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def violations(name, imported):
    floor = floor_of(name)
    return [
        f"{name} imports {target}, but {floor} may not import {floor_of(target)}"
        for target in imported
        if not may_import(name, floor, floor_of(target))
    ]


def may_import(name, floor, target_floor):
    if target_floor in CODE_ON_READING:
        return False
    return name in ROOFS or target_floor == floor or target_floor in MAY_IMPORT.get(floor, set())


def test_every_import_points_downwards():
    wrong = [line for name, path in modules() for line in violations(name, imports_of(path))]
    assert not wrong, "\n".join(wrong)


def test_every_module_belongs_to_a_floor():
    homeless = [name for name, _ in modules() if name not in ROOFS and floor_of(name) not in MAY_IMPORT]
    assert homeless == []


@pytest.mark.parametrize(
    ("name", "imported"),
    [
        ("exmc_actors.kernel.nuts", "exmc_actors.model.Normal"),
        ("exmc_actors.views.progress", "exmc_actors.runtime.Feed"),
        ("exmc_actors.views.progress", "exmc_actors.plots.plot"),
        ("exmc_actors.plots.picture", "trio"),
        ("exmc_actors.diagnostics.summary", "matplotlib.figure.Figure"),
        ("exmc_actors.runtime.feed", "exmc_actors.views.progress_view"),
        ("exmc_actors.runtime.feed", "supervision.intensity.RestartIntensity"),
        ("exmc_actors.chain.block", "trio"),
        ("exmc_actors.kernel.nuts", "time"),
        ("supervision.server", "numpy"),
        ("supervision.strategy", "trio"),
        *(("exmc_actors.kernel.nuts", name) for name in ("os", "pathlib.Path", "subprocess", "random")),
        ("exmc_actors.model.codec", "multiprocessing.shared_memory"),
        ("exmc_actors.compiler.log_density", "io"),
        ("exmc_actors.compiler.log_density", "exmc_actors.elsewhere.from_pymc"),
        ("exmc_actors.runtime.executables", "numpyro"),
        ("exmc_actors.warmup.schedule", "threading"),
        ("exmc_actors.diagnostics.summary", "os.environ"),
        ("exmc_actors.chain.codec", "tempfile"),
        ("exmc_actors.views.tally", "datetime.datetime"),
        ("exmc_actors.views.tally", "h11"),
        ("exmc_actors.views.dashboard.server", "exmc_actors.runtime.Feed"),
        ("exmc_actors.views.dashboard.app", "os"),
        ("exmc_actors.wire.frames", "socket"),
        ("exmc_actors.remote.run", "exmc_actors.views.dashboard.Door"),
        ("supervision.intensity", "time.monotonic"),
        ("supervision.backoff", "random"),
        *(("exmc_actors.chain.codec", name) for name in sorted(CODE_ON_READING)),
        # Floors with the whole standard library, and the roofs, have no serialiser that runs code either.
        ("exmc_actors.xla", "marshal"),
        ("exmc_actors.runtime.log", "pickle.dumps"),
        ("supervision.mailbox", "shelve"),
        ("exmc_actors.sampling", "pickle"),
        ("exmc_actors", "cloudpickle"),
    ],
)
def test_the_table_refuses_what_it_should(name, imported):
    assert violations(name, [imported])


@pytest.mark.parametrize(
    ("name", "imported"),
    [
        ("exmc_actors.kernel.nuts", "functools.partial"),
        ("exmc_actors.xla", "os.environ"),
        ("exmc_actors.runtime.settings", "secrets"),
        ("exmc_actors.sampling", "exmc_actors.views.progress_view"),
        ("exmc_actors.cli", "pathlib.Path"),
    ],
)
def test_the_table_lets_through_what_it_should(name, imported):
    assert violations(name, [imported]) == []
