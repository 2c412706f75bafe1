"""Be the program ``exmc``: read a command line, call the library, turn errors into sentences and statuses.

Status 0 on success, 1 when the work failed, 2 for what the user typed, 130 after Ctrl-C.
"""

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

from exmc_actors.cli_out import check_out, unwritten, written
from exmc_actors.cli_plots import add_commands
from exmc_actors.run_arguments import (
    add_dashboard,
    add_limits,
    add_workers,
    dashboard_of,
    folder,
    natural,
    positive,
    rule_of,
)

DONE, FAILED, MISTYPED, INTERRUPTED = 0, 1, 2, 130


class _Parser(argparse.ArgumentParser):
    """An argument parser whose refusals are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(MISTYPED, f"exmc: {message}. See '{self.prog} --help'.\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    _make_streams_take_all()
    arguments = _parser().parse_args(argv)
    if arguments.debug:
        return int(arguments.command(arguments))
    # Crash reports are tracebacks; what matters of them is in the sentence that ends the program.
    logging.getLogger("supervision").addHandler(logging.NullHandler())
    try:
        return int(arguments.command(arguments))
    except KeyboardInterrupt:
        return _say(INTERRUPTED, "interrupted before there was a draw to keep.")
    except Exception as error:  # noqa: BLE001 - the last resort: a sentence instead of a traceback
        return _report(error)


def _make_streams_take_all() -> None:
    """Let printing fail neither where a stream is closed nor by a name that its encoding lacks."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - until the end
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as the errors' stream has it by itself


def _report(error: Exception) -> int:
    from exmc_actors.errors import ModelError, SettingsError, StoreError
    from exmc_actors.model_file import ModelFileError

    if isinstance(error, ModelError | SettingsError | StoreError | ModelFileError):
        return _say(MISTYPED, str(error))
    kind = "" if type(error).__module__.startswith("exmc_actors") else f"{type(error).__name__}: "
    return _say(FAILED, f"{kind}{error} (exmc --debug shows where)")


def _say(status: int, sentence: str) -> int:
    sys.stderr.write(f"exmc: {sentence}\n")
    return status


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="exmc", description="Sample Bayesian models with supervised, restartable chains.")
    parser.add_argument("--version", action="version", version=f"exmc {version('exmc-actors')}")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="sample the eight schools, kill a chain, prove the replay")
    demo.add_argument("--draws", type=positive, default=None, metavar="N", help="draws a chain")
    demo.set_defaults(command=_demo)

    sample = commands.add_parser("sample", help="sample the model in a Python file")
    sample.add_argument("file", metavar="FILE[:NAME]", help="a Python file; NAME is the model in it (model)")
    sample.add_argument("--draws", type=positive, default=1000, metavar="N", help="kept draws a chain (1000)")
    sample.add_argument("--tune", type=natural, default=None, metavar="N", help="warmup transitions a chain")
    sample.add_argument("--chains", type=positive, default=4, metavar="N", help="number of chains (4)")
    sample.add_argument(
        "--seed", type=natural, default=None, metavar="N", help="the same seed, the same draws"
    )
    sample.add_argument(
        "--store", type=folder, default=None, metavar="DIR", help="keep the run there, to go on with"
    )
    add_workers(sample)
    add_limits(sample)
    sample.add_argument("--out", type=Path, default=None, metavar="FILE.nc", help="write the draws as netCDF")
    add_dashboard(sample)
    sample.set_defaults(command=_sample)

    resume = commands.add_parser("resume", help="go on with a stored run, to the bits it would have had")
    resume.add_argument("store", type=folder, metavar="DIR", help="that 'exmc sample --store' named")
    resume.add_argument(
        "--draws", type=positive, default=None, metavar="N", help="draws a chain, at least as many as before"
    )
    resume.add_argument(
        "--chains", type=positive, default=None, metavar="N", help="chains, at least as many as before"
    )
    resume.add_argument(
        "--anyway", action="store_true", help="even if another version or processor computed its draws"
    )
    add_workers(resume)
    add_limits(resume)
    resume.add_argument("--out", type=Path, default=None, metavar="FILE.nc", help="write the draws as netCDF")
    add_dashboard(resume)
    resume.set_defaults(command=_resume)

    export = commands.add_parser("export", help="write the draws of a stored run for other programs")
    export.add_argument("store", type=folder, metavar="DIR", help="that 'exmc sample --store' named")
    export.add_argument("out", type=Path, metavar="OUT.zarr|OUT.nc", help="a zarr store or a netCDF file")
    export.add_argument("--warmup", action="store_true", help="write the warmup draws too")
    export.add_argument("--overwrite", action="store_true", help="replace what has this name")
    export.set_defaults(command=_export)

    summary = commands.add_parser("summary", help="summarise draws that were written")
    summary.add_argument("file", type=Path, metavar="DIR|FILE.nc", help="a stored run, or draws as netCDF")
    summary.set_defaults(command=_summary)

    dashboard = commands.add_parser(
        "dashboard", help="show a stored run, or one that is being stored, in browsers"
    )
    dashboard.add_argument("store", type=folder, metavar="DIR", help="that 'exmc sample --store' named")
    dashboard.add_argument("--host", default="127.0.0.1", help="where to listen (127.0.0.1)")
    dashboard.add_argument("--port", type=natural, default=0, metavar="N", help="0 for a free one (0)")
    dashboard.add_argument("--token", default=None, help="what browsers must know; another host needs one")
    dashboard.add_argument(
        "--name",
        action="append",
        default=[],
        help="another name of this machine in browsers; may be repeated",
    )
    dashboard.set_defaults(command=_dashboard)
    add_commands(commands)
    return parser


def _demo(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from exmc_actors.demo import DRAWS, run_demo

    is_identical = run_demo(Console(), draws=arguments.draws or DRAWS)
    return DONE if is_identical else FAILED


def _sample(arguments: argparse.Namespace) -> int:
    from exmc_actors.model_file import load_model
    from exmc_actors.sampling import sample

    out = check_out(arguments.out)
    stop = rule_of(arguments)
    model = load_model(arguments.file)
    return _shown(
        lambda: sample(
            model,
            draws=arguments.draws,
            tune=arguments.tune,
            chains=arguments.chains,
            random_seed=arguments.seed,
            store=arguments.store,
            workers=arguments.workers,
            dashboard=dashboard_of(arguments),
            stop=stop,
        ),
        out,
        arguments.store,
    )


def _resume(arguments: argparse.Namespace) -> int:
    from exmc_actors.sampling import resume

    out = check_out(arguments.out)
    stop = rule_of(arguments)
    return _shown(
        lambda: resume(
            arguments.store,
            draws=arguments.draws,
            chains=arguments.chains,
            anyway=arguments.anyway,
            stop=stop,
            workers=arguments.workers,
            dashboard=dashboard_of(arguments),
        ),
        out,
        arguments.store,
    )


def _dashboard(arguments: argparse.Namespace) -> int:
    from exmc_actors.dashboard import show_until_ctrl_c

    where = (arguments.host, arguments.port, arguments.token, arguments.name)
    show_until_ctrl_c(arguments.store, *where, _say_where)
    return DONE


def _say_where(url: str) -> None:
    sys.stderr.write(f"exmc: dashboard: {url} (Ctrl-C ends it)\n")


def _shown(make: Callable[[], Any], out: Path | None = None, store: Path | None = None) -> int:
    """Make draws, write them, summarise them and say what is doubtful; return the exit status."""
    from exmc_actors.errors import SamplingWarning, StoreWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tree = make()
    is_written = out is None or written(tree, out, store)  # first of all: what follows only shows
    try:
        _print_summary(tree)
    finally:  # a full disk behind the standard output hides no doubt
        if "stopped" in tree.attrs:
            sys.stderr.write(f"exmc: {tree.attrs['stopped']}\n")
        for warning in caught:
            if issubclass(warning.category, SamplingWarning | StoreWarning):
                sys.stderr.write(f"exmc: warning: {warning.message}\n")
    if not is_written:
        return FAILED
    if tree.attrs.get("interrupted"):
        return INTERRUPTED
    return FAILED if "failed_reasons" in tree.attrs else DONE


def _export(arguments: argparse.Namespace) -> int:
    from exmc_actors.errors import StoreWarning
    from exmc_actors.exporting import export

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            export(
                arguments.store, arguments.out, save_warmup=arguments.warmup, overwrite=arguments.overwrite
            )
        except OSError as error:
            return _say(FAILED, unwritten(arguments.out, error, arguments.store))
    _say(DONE, f"wrote {arguments.out}")
    for warning in caught:
        if issubclass(warning.category, StoreWarning):
            _say(DONE, f"warning: {warning.message}")
    return DONE


def _summary(arguments: argparse.Namespace) -> int:
    if arguments.file.is_dir():
        from exmc_actors.stored import load

        return _shown(lambda: load(arguments.file))
    from exmc_actors.written import read_file

    with read_file(arguments.file) as tree:
        _print_summary(tree)
    return DONE


def _print_summary(tree: Any) -> None:
    from rich.console import Console

    from exmc_actors.diagnostics import summary
    from exmc_actors.views import summary_table, summary_text

    console = Console()
    frame = summary(tree)
    try:
        if console.is_terminal:
            console.print(summary_table(frame))
        else:
            sys.stdout.write(f"{summary_text(frame)}\n")
        sys.stdout.flush()
    except BrokenPipeError:  # who reads has had enough: no failure of the work, nor of the last flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
