"""Show a summary's frame with the digits that its Monte Carlo errors allow; it computes no estimate."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, isfinite, isnan, log10
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from exmc_actors.diagnostics.agreement import HIGHEST_R_HAT

if TYPE_CHECKING:
    import pandas as pd

HEADINGS = ("", "mean", "mcse", "sd", "5%", "50%", "95%", "bulk ESS", "tail ESS", "R-hat")

DISPENSABLE = ((), (5,), (4, 5, 6))
"""Columns left out, in turn, where a terminal is too narrow for all."""

FLAG = " !"
"""Follows an R-hat that is too high, so that it is seen without colours too."""

MOST_DECIMALS = 6
LARGEST_FIXED = 1e7
SIGNIFICANT = 3
"""Digits where no Monte Carlo error says better, and of numbers that need an exponent."""


@dataclass(frozen=True)
class SummaryTable:
    """Rows of texts that are set in columns when the width is known."""

    rows: list[tuple[str, ...]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield a heading and a line a row; the columns come closer, and then fewer, in narrow terminals."""
        for hidden in DISPENSABLE:
            for gap in (2, 1):
                lines = self.lines(gap, hidden)
                if max(cell_len(line) for line in lines) <= options.max_width:
                    yield from self._styled(lines)
                    return
        yield from self._styled(lines)

    def lines(self, gap: int = 2, hidden: tuple[int, ...] = ()) -> list[str]:
        """Return the heading and the rows as text, ``gap`` spaces between columns."""
        table = [HEADINGS, *self.rows]
        shown = [column for column in range(1, len(HEADINGS) - 1) if column not in hidden]
        widths = [max(cell_len(row[column]) for row in table) for column in range(len(HEADINGS))]
        space = " " * gap
        return [
            space.join((set_cell_size(row[0], widths[0]), *(row[i].rjust(widths[i]) for i in shown), row[-1]))
            for row in table
        ]

    def _styled(self, lines: list[str]) -> list[Text]:
        styles = ("dim", *("bold yellow" if row[-1].endswith(FLAG) else "" for row in self.rows))
        return [Text(line, style, overflow="fold") for line, style in zip(lines, styles, strict=True)]


def summary_table(frame: pd.DataFrame) -> SummaryTable:
    """Return the frame as a table that rich can print; an R-hat above 1.01 is flagged.

    Means and quantiles end with the digit in which their Monte Carlo error begins; more would be noise.
    """
    return SummaryTable(
        [_cells(str(name), row) for name, row in zip(frame.index, frame.to_dict("records"), strict=True)]
    )


def summary_text(frame: pd.DataFrame) -> str:
    """Return the same table as plain text, every column as wide as it needs to be."""
    return "\n".join(summary_table(frame).lines())


def _cells(name: str, row: dict[str, float]) -> tuple[str, ...]:
    places = decimals(row["mcse_mean"], row["mean"])
    return (
        name,
        number(row["mean"], places),
        number(row["mcse_mean"], decimals(row["mcse_mean"], row["mcse_mean"])),
        number(row["sd"], decimals(row["mcse_sd"], row["sd"])),
        *(number(row[quantile], places) for quantile in ("q5", "q50", "q95")),
        number(row["ess_bulk"], 0),
        number(row["ess_tail"], 0),
        number(row["r_hat"], 3) + (FLAG if row["r_hat"] > HIGHEST_R_HAT else ""),
    )


def decimals(error: float, value: float) -> int:
    """Return how many decimals of ``value`` its error leaves standing."""
    if isfinite(error) and error > 0:
        return max(0, -floor(log10(error)))
    if isfinite(value) and value != 0:
        return max(0, SIGNIFICANT - 1 - floor(log10(abs(value))))
    return 0


def number(value: float, places: int) -> str:
    """Return a value with so many decimals, or with an exponent where these would be too many digits."""
    if not isfinite(value):
        return "-" if isnan(value) else f"{value}"
    if places > MOST_DECIMALS or abs(value) >= LARGEST_FIXED:
        return f"{value:.{SIGNIFICANT - 1}e}"
    return f"{value:.{places}f}"
