"""Give the program ``exmc`` its commands ``plot`` and ``report``: read, have drawn, say what was written."""

import argparse
import sys
import warnings
from pathlib import Path
from typing import Any


def add_commands(commands: Any) -> None:
    """Add both to the parser's commands."""
    plot = commands.add_parser("plot", help="draw a picture of draws that were written")
    _add_file(plot)
    plot.add_argument(
        "--kind", default="trace", help="trace, rank, pair, forest, energy, ppc or autocorr (trace)"
    )
    plot.add_argument(
        "--var",
        action="append",
        default=None,
        metavar="NAME",
        help="a variable, or a quantity as theta[0]; may be repeated",
    )
    plot.add_argument(
        "--out", type=Path, default=None, metavar="FILE.png|.svg", help="what to write (KIND.png)"
    )
    plot.set_defaults(command=_plot)

    report = commands.add_parser("report", help="write a report of draws as one HTML file")
    _add_file(report)
    report.add_argument(
        "--out", type=Path, default=Path("report.html"), metavar="FILE", help="what to write (report.html)"
    )
    report.set_defaults(command=_report)


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="DIR|FILE.nc", help="a stored run, or draws as netCDF")


def _plot(arguments: argparse.Namespace) -> int:
    from exmc_actors.plots import check_kind, check_picture_file, plot

    check_kind(arguments.kind)
    out = check_picture_file(arguments.out or Path(f"{arguments.kind}.png"))
    with _read(arguments.file).tree as tree:
        plot(tree, arguments.kind, arguments.var, out)
    return _wrote(out)


def _report(arguments: argparse.Namespace) -> int:
    from exmc_actors.plots import report

    found = _read(arguments.file)
    with found.tree as tree:
        return _wrote(report(tree, arguments.out, model=found.model, versions=found.versions))


def _read(path: Path) -> Any:
    """Return what was written, and say what of it cannot be read."""
    from exmc_actors.written import read_written

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = read_written(path)
    for warning in caught:
        sys.stderr.write(f"exmc: warning: {warning.message}\n")
    return found


def _wrote(path: Path) -> int:
    sys.stderr.write(f"exmc: wrote {path}\n")
    return 0
