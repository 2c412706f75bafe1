"""Add to a command of ``exmc`` what may be said of a run, and read what was meant; nothing is run here."""

import argparse
from pathlib import Path
from typing import Any


def add_workers(command: argparse.ArgumentParser) -> None:
    """Let the user say where blocks are computed."""
    command.add_argument(
        "--workers",
        choices=("thread", "process"),
        default="thread",
        help="where blocks are computed; a process that is killed, or crashes, is replaced (thread)",
    )


def add_dashboard(parser: argparse.ArgumentParser) -> None:
    """Let the user ask for a dashboard."""
    parser.add_argument("--dashboard", action="store_true", help="show the run in browsers while it lasts")
    parser.add_argument(
        "--port", type=natural, default=None, metavar="N", help="of the dashboard (a free one)"
    )


def add_limits(command: argparse.ArgumentParser) -> None:
    """Let the user end the run before it has all draws."""
    command.add_argument(
        "--until-converged", action="store_true", help="end as soon as R-hat and effective draws are good"
    )
    command.add_argument(
        "--max-time", default=None, metavar="TIME", help="end after so long, say '90 s', '10 min' or '1.5 h'"
    )


def rule_of(arguments: argparse.Namespace) -> Any:
    """Return the rule that ends the run early; None where there is none."""
    from exmc_actors.diagnostics import Converged, MaxTime

    limit = None if arguments.max_time is None else MaxTime(arguments.max_time)
    if not arguments.until_converged:
        return limit
    return Converged() if limit is None else Converged() | limit


def _number(text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"an integer of at least {least} is needed, got {text!r}")
    return int(text)


def positive(text: str) -> int:
    """Return the positive integer that a text is."""
    return _number(text, 1)


def natural(text: str) -> int:
    """Return the integer that a text is, 0 or more."""
    return _number(text, 0)


def folder(text: str) -> Path:
    """Return the folder that a text names, wherever the program goes."""
    if not text:
        raise argparse.ArgumentTypeError(f"the name of a folder is needed, got {text!r}")
    return Path(text).absolute()


def dashboard_of(arguments: argparse.Namespace) -> bool | int:
    """Return what ``dashboard`` of ``sample`` is to be."""
    return arguments.dashboard if arguments.port is None else arguments.port or True
