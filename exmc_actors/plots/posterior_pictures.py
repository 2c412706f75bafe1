"""Draw what a posterior says: each quantity against each, and intervals side by side."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from exmc_actors.errors import SettingsError
from exmc_actors.plots.chain_pictures import draw_density
from exmc_actors.plots.choice import Shown, reached
from exmc_actors.plots.picture import (
    CHAIN_COLOURS,
    DIVERGENCE_COLOUR,
    INK,
    MANY_POINTS,
    Picture,
    colour,
    finish,
    new_picture,
    short,
)

MOST_POINTS = 2_000
"""In a panel of the pair plot: more hide each other. Divergences are counted apart."""
MOST_CHAINS_APART = 8
_POINTS: dict[str, Any] = {"linestyle": "", "marker": "o", "markeredgewidth": 0}


def pair_picture(shown: Shown) -> Picture:
    """Return a triangle of panels, a point a draw, divergences on top; densities on the diagonal.

    Raises:
        SettingsError: there is only one quantity.
    """
    shown = reached(shown)
    count = len(shown.names)
    if count < 2:
        raise SettingsError(
            f"a pair plot needs two quantities at least, got {shown.names[0]}: name another one in var_names."
        )
    flat = shown.draws.reshape(count, -1)
    usual, marked = _places(shown.diverging.reshape(-1))
    picture = new_picture(1.2 + 1.6 * count, 0.7 + 1.45 * count)
    grid = picture.subplots(count, count, squeeze=False, sharex="col")
    for row in range(count):
        for column in range(count):
            axes = grid[row, column]
            if column > row:
                axes.set_axis_off()
            elif column == row:
                draw_density(axes, flat[row], CHAIN_COLOURS[0])
                axes.set_yticks([])
                axes.set_ylim(bottom=0)
            else:
                _scatter(axes, flat[column], flat[row], usual, marked)
        grid[row, 0].set_ylabel(short(shown.names[row], 20))
        grid[-1, row].set_xlabel(short(shown.names[row], 20))
    _pair_legend(picture, len(marked), int(shown.diverging.sum()))
    return finish(picture, (*_thinned(len(usual), flat.shape[1]), *shown.notes))


def forest_picture(shown: Shown) -> Picture:
    """Return a line a quantity: the median with the intervals that hold 50 % and 90 % of the draws."""
    shown = reached(shown)
    count, chains = len(shown.names), len(shown.chains)
    is_apart = 1 < chains <= MOST_CHAINS_APART
    picture = new_picture(9.0, 1.0 + 0.27 * count)
    axes = picture.subplots()
    for row, draws in enumerate(shown.draws):
        if row % 2:
            axes.axhspan(row - 0.5, row + 0.5, color=INK, alpha=0.05, linewidth=0)
        groups = draws if is_apart else draws.reshape(1, -1)
        for place, values in enumerate(groups):
            height = row + (0.6 * (place + 0.5) / len(groups) - 0.3 if is_apart else 0.0)
            _interval(axes, height, values[np.isfinite(values)], colour(place), 1.0 if is_apart else 1.6)
    axes.set_yticks(range(count), [short(name) for name in shown.names])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_ylim(count - 0.5, -0.5)
    axes.set_title("Medians, with the middle 50 % and 90 %" + (", a line a chain" if is_apart else ""))
    return finish(picture, shown.notes)


def _places(diverging: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which draws are shown as usual ones, in even steps, and which as divergences."""
    usual, marked = np.flatnonzero(~diverging), np.flatnonzero(diverging)
    return usual[:: -(-max(1, len(usual)) // MOST_POINTS)], marked[:: -(-max(1, len(marked)) // MOST_POINTS)]


def _scatter(axes: Axes, x: np.ndarray, y: np.ndarray, usual: np.ndarray, marked: np.ndarray) -> None:
    is_bitmap = len(usual) > MANY_POINTS // 20
    axes.plot(
        x[usual],
        y[usual],
        color=CHAIN_COLOURS[0],
        alpha=0.35,
        markersize=2.2,
        rasterized=is_bitmap,
        **_POINTS,
    )
    axes.plot(x[marked], y[marked], color=DIVERGENCE_COLOUR, alpha=0.9, markersize=3.6, **_POINTS)


def _pair_legend(picture: Picture, shown: int, diverged: int) -> None:
    entries = [Line2D([], [], color=CHAIN_COLOURS[0], label="draw", **_POINTS)]
    if diverged:
        some = "" if shown == diverged else f", {shown:,} shown"
        label = f"divergence ({diverged:,}{some})"
        entries.append(Line2D([], [], color=DIVERGENCE_COLOUR, label=label, **_POINTS))
    picture.legend(handles=entries, loc="outside upper right", ncols=2)


def _thinned(shown: int, of: int) -> tuple[str, ...]:
    step = round(of / max(1, shown))
    return (f"One draw in {step:,} is shown.",) if step > 1 else ()


def _interval(axes: Axes, height: float, values: np.ndarray, line_colour: str, weight: float) -> None:
    if not len(values):
        return
    q5, q25, q50, q75, q95 = np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95))
    axes.plot((q5, q95), (height, height), color=line_colour, linewidth=0.8 * weight)
    axes.plot((q25, q75), (height, height), color=line_colour, linewidth=2.2 * weight)
    axes.plot(q50, height, "o", color="white", markeredgecolor=line_colour, markersize=2.6 * weight)
