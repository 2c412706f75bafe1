"""Be ``ex.report``: one HTML file that says what was run, what came out and what is doubtful."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exmc_actors.diagnostics.quantities import count_quantities, posterior_of
from exmc_actors.plots import page
from exmc_actors.plots.choice import statistic
from exmc_actors.plots.facts import divergences_of, settings_of, table_of, warnings_of
from exmc_actors.plots.plot import check_drawable, check_installed, check_writable
from exmc_actors.views.summary_table import HEADINGS

if TYPE_CHECKING:
    import xarray as xr

INCH = 96
"""Pixels of a page."""
_PICTURES = (
    (
        "trace",
        6,
        "Traces",
        "All chains should look alike, without steps or long drifts; ticks are divergences.",
    ),
    ("rank", 6, "Ranks", "A chain outside its band has other values than the rest."),
    ("energy", 0, "Energy", "E-BFMI below 0.3 means that heavy tails are explored badly."),
    ("forest", 40, "Intervals", "Lines of one quantity should cover each other."),
    ("pair", 4, "Pairs", "Divergences that gather in one place show where the posterior is hard to follow."),
    ("ppc", 0, "Predictions", "What was observed should look like one more prediction."),
)


def report(
    tree: xr.DataTree,
    path: str | Path,
    *,
    model: Any = None,
    versions: Mapping[str, str] | None = None,
) -> Path:
    """Write a report of a run as one HTML file, with its pictures inside and nothing to load or to run.

    Of large models it shows the quantities with the highest R-hat, and says so.

    Args:
        tree: as ``ex.sample`` returns it, or any in ArviZ's schema.
        path: the file to write, ``report.html``, say.
        model: what was sampled, shown as its text; None leaves it out.
        versions: of what took part, by name.

    Returns:
        The path.

    Raises:
        SettingsError: ``path`` cannot be written, the tree has no draws, or matplotlib is not installed.
    """
    check_drawable(tree)
    out = check_writable(Path(path))
    check_installed("ex.report")
    sections = list(_sections(tree, model, versions or {}))
    text = page.page("Sampling report", sections, f"Written by exmc_actors {version('exmc-actors')}.")
    out.write_text(text, encoding="utf-8")
    return out


def _sections(tree: xr.DataTree, model: Any, versions: Mapping[str, str]) -> Iterator[str]:
    rows, left_out = table_of(tree)
    found = warnings_of(tree)
    if found:
        yield page.doubts("These draws should not be trusted yet:", found)
    else:
        yield page.paragraph("No diagnostic gives a reason to doubt these draws.", "good")
    yield page.section("What was run", page.pairs(settings_of(tree, versions)))
    if model is not None:
        yield page.section("The model", page.preformatted(str(model)))
    verdicts = [(*row.cells, row.verdict) for row in rows]
    kinds = ["good" if row.is_good else "bad" for row in rows]
    yield page.section(
        "Summary",
        page.paragraph(left_out, "faint") if left_out else "",
        page.table((*HEADINGS, "verdict"), verdicts, kinds),
        page.paragraph(
            "Good is an R-hat of at most 1.01 and, in bulk and tails, 100 effective draws a chain.", "faint"
        ),
    )
    divergences = divergences_of(tree)
    if divergences:
        yield page.section("Divergences", page.pairs(divergences))
    for kind, most, heading, caption in _PICTURES:
        if _has(tree, kind):
            yield page.section(heading, _picture(tree, kind, most, caption))


def _has(tree: xr.DataTree, kind: str) -> bool:
    """Return whether the tree has what a picture needs; a report leaves the others out."""
    if kind == "energy":
        return statistic(tree, "energy") is not None
    if kind == "ppc":
        return "posterior_predictive" in tree.children
    return kind != "pair" or count_quantities(posterior_of(tree)) > 1


def _picture(tree: xr.DataTree, kind: str, most: int, caption: str) -> str:
    from exmc_actors.plots.kinds import drawn
    from exmc_actors.plots.picture import written

    figure = drawn(tree, kind, most=most)
    png = written(figure, "png", transparent=True)
    return page.picture(png, f"Picture: {kind}. {caption}", round(INCH * figure.get_figwidth()), caption)
