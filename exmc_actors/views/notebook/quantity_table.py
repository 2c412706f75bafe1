"""Draw the table of quantities: estimates, a verdict in words, and traces; text out, nothing computed."""

from html import escape

from exmc_actors.views.notebook.picture import Picture
from exmc_actors.views.notebook.sparkline import COLOURS, sparkline
from exmc_actors.views.notebook.verdicts import Verdict
from exmc_actors.views.summary_table import decimals, number

HEADINGS = ("mean", "sd", "R-hat", "ESS")

MARKS: dict[Verdict, str] = {
    "good": '<span class="exmc-good">✔</span>',
    "few effective draws": '<span class="exmc-doubt">▲</span>',
    "chains disagree": '<span class="exmc-bad">✖</span>',
    "no estimate": '<span class="exmc-doubt">?</span>',
    "constant": "–",
}


def quantity_table(picture: Picture) -> str:
    """Return the table and what it leaves out; nothing before there are estimates."""
    if picture.summary is None:
        return ""
    heads = '<th class="exmc-left">Quantity</th>' + "".join(f"<th>{head}</th>" for head in HEADINGS)
    heads += '<th class="exmc-left">Verdict</th><th class="exmc-left">Traces</th>'
    rows = "".join(_quantity(name, picture) for name in picture.shown)
    caption = escape(_caption(picture))
    return (
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        f'<p class="exmc-small">{caption}</p>'
    )


def _quantity(name: str, picture: Picture) -> str:
    assert picture.summary is not None
    known = picture.summary[name]
    words = picture.shown[name]
    cells = (
        number(known["mean"], decimals(known["mcse_mean"], known["mean"])),
        number(known["sd"], decimals(known["mcse_mean"], known["sd"])),
        number(known["r_hat"], 3),
        number(known["ess"], 0),
    )
    label = escape(name, quote=True)
    return (
        f'<tr><td class="exmc-left exmc-name" title="{label}">{label}</td>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + f'<td class="exmc-left">{MARKS[words]} {words}</td>'
        f'<td class="exmc-left">{sparkline(name, picture.traces.get(name, ()))}</td></tr>'
    )


def _caption(picture: Picture) -> str:
    summary = picture.summary
    assert summary is not None
    left_out = {*summary.failed, *summary.stopped}.difference(summary.kept)
    seen = int(summary.draws[list(summary.kept)].sum())
    made = sum(row.done for row in picture.rows if row.phase == "sample" and row.chain not in left_out)
    parts = [f"Estimates of {seen:,} draws" if seen >= made else f"Estimates of {seen:,} of {made:,} draws"]
    followed = len(summary.names)
    among = (
        f"the first {followed:,} of {picture.quantities:,}"
        if followed < picture.quantities
        else f"{followed:,}"
    )
    if len(picture.shown) < followed:
        parts.append(f"{len(picture.shown)} quantities of {among}, the doubtful ones before others")
    elif followed < picture.quantities:
        parts.append(f"{among} quantities")
    if len(picture.rows) > len(COLOURS):
        parts.append(f"traces of the first {len(COLOURS)} chains")
    return "; ".join(parts) + "."
