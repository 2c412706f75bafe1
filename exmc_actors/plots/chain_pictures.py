"""Draw what tells chains apart: traces with densities, rank differences, autocorrelations."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from exmc_actors.plots.choice import Shown, reached
from exmc_actors.plots.curves import (
    autocorrelation,
    density,
    rank_band,
    rank_differences,
    rank_places,
    whole_numbers,
)
from exmc_actors.plots.picture import (
    DIVERGENCE_COLOUR,
    FAINT,
    MANY_POINTS,
    Picture,
    colour,
    finish,
    new_picture,
    say,
    short,
)

MOST_IN_LEGEND = 12
COLUMNS = 3
_MARK: dict[str, Any] = {"color": DIVERGENCE_COLOUR, "linestyle": "", "marker": "|", "markersize": 7}


def trace_picture(shown: Shown) -> Picture:
    """Return a row a quantity: its density by chain, and its draws in order; divergences are ticks below."""
    shown = reached(shown)
    rows = len(shown.names)
    picture = new_picture(9.0, 0.5 + 1.3 * rows)
    grid = picture.subplots(rows, 2, squeeze=False, width_ratios=(1, 2.6))
    for name, draws, (left, right) in zip(shown.names, shown.draws, grid, strict=True):
        left.set_title(short(name))
        left.set_yticks([])
        is_bitmap, is_dot = draws.size > MANY_POINTS, draws.shape[1] == 1
        style: dict[str, Any] = {"linewidth": 0.5, "alpha": 0.8, "rasterized": is_bitmap}
        style["marker"] = "." if is_dot else ""
        for place, values in enumerate(draws):
            draw_density(left, values, colour(place))
            right.plot(values, color=colour(place), **style)
        left.set_ylim(bottom=0)
        right.margins(x=0.01)
        _mark_divergences(left, right, draws, shown.diverging)
    grid[-1, 1].set_xlabel("draw")
    _legend(picture, shown.chains, has_divergences=bool(shown.diverging.any()))
    return finish(picture, shown.notes)


def rank_picture(shown: Shown) -> Picture:
    """Return a panel a quantity: the share of each chain's ranks below a place, less that of all chains."""
    is_single = len(shown.chains) == 1
    picture = new_picture(9.0, 0.7 + 1.9 * -(-len(shown.names) // COLUMNS))
    for axes, draws in _panels(picture, shown):
        halves = _halves(draws) if is_single else draws
        if _is_drawable(axes, draws):
            _draw_ranks(axes, halves)
    picture.supylabel("rank difference", fontsize=8)
    _legend(picture, ["first half", "second half"] if is_single else shown.chains, is_named=not is_single)
    told = (
        "Across: a rank among the draws of all chains, from 0 to 1. Up: how much more of a chain is below.",
        "Where nothing is wrong, 1 panel in 100 leaves its band. Draws are thinned to independent ones.",
    )
    return finish(picture, (*told, *shown.notes))


def autocorr_picture(shown: Shown) -> Picture:
    """Return a panel a quantity: the correlation of draws with those some lags before, by chain."""
    picture = new_picture(9.0, 0.7 + 1.9 * -(-len(shown.names) // COLUMNS))
    for axes, draws in _panels(picture, shown):
        if not _is_drawable(axes, draws, is_by_chain=True):
            continue
        band = 1.96 / np.sqrt(draws.shape[1])
        axes.axhspan(-band, band, color=FAINT, alpha=0.25, linewidth=0)
        for place, curve in enumerate(autocorrelation(draws)):
            axes.plot(curve, color=colour(place), linewidth=0.9)
        axes.set_ylim(min(-0.25, axes.get_ylim()[0]), 1.05)
    picture.supylabel("autocorrelation", fontsize=8)
    _legend(picture, shown.chains)
    band_note = "Across: lag, in draws. The band holds 95 % of what independent draws would give."
    return finish(picture, (band_note, *shown.notes))


def draw_density(axes: Axes, values: np.ndarray, line_colour: str) -> None:
    """Draw the density of some values: shares of whole numbers, a line at a constant."""
    shares = whole_numbers(values)
    curve = density(values)
    if shares is not None and len(shares[0]) > 1:
        axes.step(*shares, where="mid", color=line_colour, linewidth=1.0)
    elif curve is not None:
        axes.plot(*curve, color=line_colour, linewidth=1.0)
    elif np.isfinite(values).any():
        axes.axvline(values[np.isfinite(values)][0], color=line_colour, linewidth=1.0)


def _mark_divergences(left: Axes, right: Axes, draws: np.ndarray, diverging: np.ndarray) -> None:
    if diverging.any():
        values, places = draws[diverging], np.nonzero(diverging)[1]
        low, high = left.get_xlim()
        inside = values[(values >= low) & (values <= high)]
        left.plot(inside, np.zeros(len(inside)), transform=left.get_xaxis_transform(), clip_on=False, **_MARK)
        right.plot(
            places, np.zeros(len(places)), transform=right.get_xaxis_transform(), clip_on=False, **_MARK
        )


def _panels(picture: Picture, shown: Shown) -> Iterator[tuple[Axes, np.ndarray]]:
    count = len(shown.names)
    grid = picture.subplots(-(-count // COLUMNS), min(COLUMNS, count), squeeze=False).reshape(-1)
    for unused in grid[count:]:
        unused.set_axis_off()
    for axes, name, draws in zip(grid, shown.names, shown.draws, strict=False):
        axes.set_title(short(name))
        yield axes, draws


def _is_drawable(axes: Axes, draws: np.ndarray, *, is_by_chain: bool = False) -> bool:
    """Say in the panel why it is empty, if it must be."""
    if not np.isfinite(draws).all():
        say(axes, "not all finite")
    elif draws.shape[1] < 4:
        say(axes, "too few draws")
    elif (np.ptp(draws if is_by_chain else draws.reshape(1, -1), axis=1) == 0).any():
        say(axes, "constant")
    else:
        return True
    return False


def _draw_ranks(axes: Axes, draws: np.ndarray) -> None:
    differences, count = rank_differences(draws)
    band, places = rank_band(len(draws), count), rank_places()
    axes.fill_between(places, -band, band, color=FAINT, alpha=0.25, linewidth=0)
    for place, curve in enumerate(differences):
        axes.plot(places, curve, color=colour(place), linewidth=1.0)
    axes.set_xlim(0, 1)


def _halves(draws: np.ndarray) -> np.ndarray:
    half = draws.shape[1] // 2
    return draws[:, : 2 * half].reshape(2, half)


def _legend(
    picture: Picture, chains: list[str], *, has_divergences: bool = False, is_named: bool = True
) -> None:
    """Name the chains above a picture, unless they are too many for colours to tell apart."""
    entries = [
        Line2D([], [], color=colour(place), label=f"chain {chain}" if is_named else chain)
        for place, chain in enumerate(chains)
        if len(chains) <= MOST_IN_LEGEND
    ]
    if has_divergences:
        entries.append(Line2D([], [], label="divergence", **_MARK))
    if entries:
        picture.legend(handles=entries, loc="outside upper right", ncols=len(entries), handlelength=1.2)
