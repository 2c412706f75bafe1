"""Show what ``sampling.py`` measured: a table a length, and the ratios of ours to each peer's.

``python benchmarks/report.py .runs/sampling.jsonl ...`` shows it again.
"""

import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table
from verdicts import geometric_mean, ratios

QUANTITIES = {"ess_per_second": "ESS a second", "ess_per_1000_gradients": "ESS per 1,000 gradients"}


def print_report(records):
    """Print the tables of all records."""
    console = Console(width=None if sys.stdout.isatty() else 150)
    cells = [one for one in records if one["kind"] == "cell"]
    for draws in sorted({one["draws"] for one in cells}):
        console.print(_table([one for one in cells if one["draws"] == draws], draws))
        for what, title in QUANTITIES.items():
            _print_ratios(console, cells, draws, what, title)
    whole = [one for one in records if one["kind"] == "whole"]
    if whole:
        console.print(_table_of_processes(whole))


def _table(cells, draws):
    table = Table(title=f"4 x {draws:,} draws, medians over the seeds \\[least to largest]")
    table.add_column("problem")
    table.add_column("peer")
    for name in ("ESS/s", "ESS", "warm s", "cold s", "gradients", "ESS/1,000 grad", "peak MiB"):
        table.add_column(name, justify="right")
    table.add_column("counts")
    last = None
    for one in cells:
        if last not in (None, one["problem"]):
            table.add_section()
        last = one["problem"]
        table.add_row(last, one["peer"], *_numbers(one), "yes" if one["counts"] else "; ".join(one["why"]))
    return table


def _numbers(cell):
    if "ess" not in cell:
        return [""] * 7
    return [
        _spread(cell["ess_per_second"]),
        f"{cell['ess'][0]:,.0f}",
        _spread(cell["seconds"]),
        f"{cell['cold_seconds']:.3g}",
        f"{cell['gradients'][0]:,.0f}",
        _spread(cell["ess_per_1000_gradients"]),
        f"{cell['peak_mib']:,.0f}",
    ]


def _spread(values):
    median, least, largest = (_short(value) for value in values)
    return f"{median} \\[{least} to {largest}]"


def _short(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _print_ratios(console, cells, draws, what, title):
    for peer in dict.fromkeys(one["peer"] for one in cells if one["peer"] != "ours"):
        found = ratios(cells, peer, draws, what)
        if found:
            worst = min(found, key=found.get)
            console.print(
                f"{title}, 4 x {draws:,}, ours over {peer}'s: {geometric_mean([*found.values()]):.2f} "
                f"(geometric mean of {len(found)} problems), worst {found[worst]:.2f} ({worst})",
                highlight=False,
            )


def _table_of_processes(records):
    table = Table(title="From a fresh process to the summary, seconds: medians \\[least to largest]")
    table.add_column("problem")
    peers = list(dict.fromkeys(one["peer"] for one in records))
    for peer in peers:
        table.add_column(peer, justify="right")
    table.add_column("ours over the fastest", justify="right")
    for problem in dict.fromkeys(one["problem"] for one in records):
        by = {one["peer"]: one for one in records if one["problem"] == problem}
        cells = [_spread(by[peer]["seconds"]) if by[peer]["seconds"] else by[peer]["why"] for peer in peers]
        table.add_row(problem, *cells, _over_fastest(by))
    return table


def _over_fastest(by):
    others = [one["seconds"][0] for peer, one in by.items() if not peer.startswith("ours") and one["seconds"]]
    mine = by.get("ours", {}).get("seconds")
    return f"{mine[0] / min(others):.2f}" if mine and others else ""


def main():
    lines = [line for path in sys.argv[1:] for line in Path(path).read_text().splitlines()]
    print_report([json.loads(line) for line in lines])


if __name__ == "__main__":
    main()
