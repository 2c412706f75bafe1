"""Turn a picture of a run into HTML, and into one line of text; pure, and all that users named is escaped.

There is no script in it and nothing is loaded.  What colours say, words and shapes say too.
"""

from collections.abc import Iterable
from html import escape

from exmc_actors.views.notebook.picture import Picture
from exmc_actors.views.notebook.quantity_table import quantity_table
from exmc_actors.views.notebook.sparkline import colour
from exmc_actors.views.notebook.style import STYLE
from exmc_actors.views.progress import last_line, line
from exmc_actors.views.progress_table import MOST_NOTES, short
from exmc_actors.views.tally import Row, State, Totals, totals_of

MOST_CHAINS = 16

MARKS: dict[State, str] = {
    "waiting": "",
    "warmup": '<span class="exmc-doubt">◐</span> ',
    "sampling": '<span class="exmc-good">▶</span> ',
    "finished": '<span class="exmc-good">✔</span> ',
    "failed": '<span class="exmc-bad">✖</span> ',
    "stopped": "■ ",
}

HEADINGS = ("Draw", "Divergences", "Step size", "Steps/draw", "Draws/s", "Restarts")


def html(picture: Picture) -> str:
    """Return a picture as one HTML element."""
    notes = _notes(picture)
    return "".join(
        (
            STYLE,
            '<div class="exmc-run">',
            _heading(picture),
            _chain_table(picture),
            notes,
            quantity_table(picture),
            "</div>",
        )
    )


def text(picture: Picture) -> str:
    """Return what a picture shows in one line, for whatever shows no HTML."""
    totals = _totals(picture)
    if picture.is_over:
        return last_line(totals, len(picture.rows), picture.elapsed)
    return line(totals, len(picture.rows))


def _totals(picture: Picture) -> Totals:
    return totals_of(picture.rows, draws=picture.draws, tune=picture.tune, paused=picture.paused)


def _heading(picture: Picture) -> str:
    minutes, seconds = divmod(int(picture.elapsed), 60)
    chains = f"{len(picture.rows)} chain{'s' * (len(picture.rows) != 1)}"
    warmup = f"{picture.tune:,} warmup + " if picture.tune else ""
    return (
        f"<p><b>{escape(_state(picture))}</b> · {chains} of {warmup}{picture.draws:,} draws · "
        f"{minutes}:{seconds:02d}</p>"
    )


def _state(picture: Picture) -> str:
    totals = _totals(picture)
    if picture.is_over:
        return last_line(totals, len(picture.rows), picture.elapsed).partition(":")[0].capitalize()
    if picture.paused:
        return f"Paused: {picture.paused}"
    return "Warmup" if totals.phase == "warmup" else "Sampling"


def _chain_table(picture: Picture) -> str:
    left, right = ("Chain", "State", "Progress"), HEADINGS
    heads = "".join(f'<th class="exmc-left">{head}</th>' for head in left)
    heads += "".join(f"<th>{head}</th>" for head in right)
    rows = "".join(_chain(row, picture) for row in picture.rows[:MOST_CHAINS])
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    return table + _rest(picture.rows[MOST_CHAINS:])


def _chain(row: Row, picture: Picture) -> str:
    wanted = picture.tune if row.phase == "warmup" else picture.draws
    line_colour = colour(row.chain)
    swatch = f'<span class="exmc-swatch" style="background:{line_colour}"></span>' if line_colour else ""
    diverged = f"{'≥' if row.missed else ''}{row.divergences}"
    if row.divergences:
        diverged = f'<span class="exmc-doubt">▲</span> {diverged}'
    cells = (
        f"{row.done:,} / {wanted:,}",
        diverged,
        short(row.step_size),
        short(row.steps_per_draw),
        short(row.draws_per_second),
        str(row.restarts),
    )
    left = (f"{swatch}{row.chain}", f"{MARKS[row.state]}{row.state}", _bar(row, picture))
    return _row(
        (f'<td class="exmc-left">{cell}</td>' for cell in left), (f"<td>{cell}</td>" for cell in cells)
    )


def _row(*parts: Iterable[str]) -> str:
    return f"<tr>{''.join(cell for part in parts for cell in part)}</tr>"


def _bar(row: Row, picture: Picture) -> str:
    whole = max(1, picture.tune + picture.draws)
    warmup = picture.tune if row.phase == "sample" else min(row.done, picture.tune)
    kept = min(row.done, picture.draws) if row.phase == "sample" else 0
    return (
        f'<span class="exmc-bar"><span class="exmc-warmup" style="width:{100 * warmup / whole:.1f}%"></span>'
        f'<span class="exmc-draws" style="width:{100 * kept / whole:.1f}%"></span></span>'
    )


def _rest(rows: tuple[Row, ...]) -> str:
    if not rows:
        return ""
    states = [row.state for row in rows]
    counts = ", ".join(f"{states.count(state)} {state}" for state in MARKS if state in states)
    return f'<p class="exmc-small">and {len(rows)} more chains: {counts}</p>'


def _notes(picture: Picture) -> str:
    notes = [f"chain {row.chain} {row.note}" for row in picture.rows if row.note]
    more = [f"and {len(notes) - MOST_NOTES} more chains with such notes"] if len(notes) > MOST_NOTES else []
    return "".join(f'<p class="exmc-small">{escape(note)}</p>' for note in notes[:MOST_NOTES] + more)
