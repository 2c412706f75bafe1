"""Draw the rows of a tally as text for a terminal; nothing in here waits, counts or writes.

The lines are set by hand: a table of rich's own takes several milliseconds to lay out, which at ten a second
would be taken from the chains' own process.
"""

from dataclasses import dataclass
from math import isnan

from rich.text import Text

from exmc_actors.views.tally import Row, State

STYLES: dict[State, str] = {
    "waiting": "dim",
    "warmup": "yellow",
    "sampling": "cyan",
    "finished": "green",
    "failed": "bold red",
    "stopped": "dim",
}

MOST_NOTES = 6
"""Lines about what went wrong; the rest is counted."""

LINES_AROUND = 5
"""Legend, heading, a count of the chains left out, and the cursor's own line."""

WIDEST = 100
NARROW = 72
"""Below, only the divergences and the restarts are shown beside the bars."""

SHORTEST_BAR = 8


@dataclass(frozen=True)
class Marks:
    """How the parts of a bar are told apart: by shape, whatever the colours."""

    warmup: str
    draws: str
    rest: str
    at_least: str
    encoding: str


BLOCKS = Marks("▒", "█", "·", "≥", "utf-8")
ASCII = Marks("-", "#", ".", ">=", "ascii")

HEADINGS = (("Diver-", "gences"), ("Step", "size"), ("Steps/", "draw"), ("Draws/", "s"), ("Re-", "starts"))
CELL = max(len(line) for heading in HEADINGS for line in heading)
CHAIN, STATE = len("Chain"), len("finished")


@dataclass(frozen=True)
class ProgressTable:
    """Draws rows in one width and one set of marks."""

    draws: int
    tune: int
    width: int
    height: int
    marks: Marks = BLOCKS

    def render(self, rows: tuple[Row, ...], elapsed: float, paused: str | None = None) -> Text:
        """Return a legend, a row a chain, and a line for each chain to which something happened.

        Args:
            rows: where each chain stands.
            elapsed: seconds since the run began.
            paused: why no chain goes on at the moment.
        """
        notes = [self._note(row) for row in rows if row.note]
        if paused:
            notes.insert(0, Text(f"paused: {paused}"))
        room = max(1, self.height - LINES_AROUND - min(len(notes), MOST_NOTES + 1))
        lines = [self._legend(len(rows), elapsed), *self._headings()]
        lines += [self._row(row) for row in rows[:room]]
        lines += _remainder(rows[room:])
        lines += notes[:MOST_NOTES]
        if len(notes) > MOST_NOTES:
            lines.append(Text(f"... and {len(notes) - MOST_NOTES} more chains with such notes"))
        for line in lines:
            line.truncate(self.width, overflow="ellipsis" if self.marks is BLOCKS else "crop")
        return Text("\n", no_wrap=True, overflow="crop").join(lines)

    def bar(self, row: Row) -> tuple[str, str]:
        """Return the part of a bar that is done, and the part that is not."""
        width, whole = self._bar_width, max(1, self.tune + self.draws)
        boundary = round(width * self.tune / whole)
        if row.phase == "warmup":
            done = self.marks.warmup * min(boundary, width * row.done // whole)
        else:
            kept = min(width - boundary, (width - boundary) * row.done // max(1, self.draws))
            done = self.marks.warmup * boundary + self.marks.draws * kept
        return done, self.marks.rest * (width - len(done))

    @property
    def _columns(self) -> tuple[int, ...]:
        every = tuple(range(len(HEADINGS)))
        return every if self.width >= NARROW else (every[0], every[-1])

    @property
    def _draw_width(self) -> int:
        return 2 * len(str(max(self.draws, self.tune))) + 1

    @property
    def _bar_width(self) -> int:
        others = CHAIN + self._draw_width + len(self._columns) * (CELL + 1) + STATE + 3
        return max(SHORTEST_BAR, min(self.width, WIDEST) - others)

    def _legend(self, chains: int, elapsed: float) -> Text:
        minutes, seconds = divmod(int(elapsed), 60)
        warmup = f"{self.marks.warmup * 2} {self.tune} warmup + " if self.tune else ""
        kept = f"{self.marks.draws * 2} {self.draws} draws"
        return Text(f"{chains} chain{'s' * (chains != 1)} of {warmup}{kept}, {minutes}:{seconds:02d}", "bold")

    def _headings(self) -> list[Text]:
        upper, lower = zip(*(HEADINGS[i] for i in self._columns), strict=True)
        progress, draw = "Progress".ljust(self._bar_width), "Draw".rjust(self._draw_width)
        blank = " " * (CHAIN + self._bar_width + self._draw_width + 2)
        return [
            Text(" ".join((blank, *(line.rjust(CELL) for line in upper))), "dim"),
            Text(" ".join(("Chain", progress, draw, *(line.rjust(CELL) for line in lower), "State")), "dim"),
        ]

    def _row(self, row: Row) -> Text:
        style = STYLES[row.state]
        wanted = self.tune if row.phase == "warmup" else self.draws
        done, rest = self.bar(row)
        cells = (
            f"{self.marks.at_least if row.missed else ''}{row.divergences}",
            short(row.step_size),
            short(row.steps_per_draw),
            short(row.draws_per_second),
            str(row.restarts),
        )
        return Text.assemble(
            f"{row.chain:>{CHAIN}} ",
            (done, style),
            (rest, "dim"),
            f" {f'{row.done}/{wanted}':>{self._draw_width}} ",
            " ".join(cells[i].rjust(CELL) for i in self._columns),
            (f" {row.state}", style),
        )

    def _note(self, row: Row) -> Text:
        style = STYLES["failed"] if row.state == "failed" else ""
        note = "".join(letter if letter.isprintable() else " " for letter in f"chain {row.chain} {row.note}")
        return Text(note.encode(self.marks.encoding, "replace").decode(self.marks.encoding), style)


def short(value: float) -> str:
    """Return three significant digits in at most six characters."""
    if isnan(value):
        return "-"
    if 99_999.5 <= value < 999.5e6:
        return f"{value / 1e6:.3g}M" if value >= 999_500 else f"{value / 1e3:.0f}k"
    if value and not 0.001 <= value < 99_999.5:
        return f"{value:.0e}"
    return f"{value:.0f}" if value >= 99.95 else f"{value:.3g}"


def _remainder(rows: tuple[Row, ...]) -> list[Text]:
    states = [row.state for row in rows]
    counts = ", ".join(f"{states.count(state)} {state}" for state in STYLES if state in states)
    return [Text(f"... and {len(rows)} more chains: {counts}")] if rows else []
