"""Draw what was observed among what the posterior predicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from exmc_actors.diagnostics.quantities import by_chain_and_draw, chosen_variables
from exmc_actors.errors import SettingsError
from exmc_actors.plots.curves import GRID, density, whole_numbers, window, within_reach
from exmc_actors.plots.picture import CHAIN_COLOURS, INK, Picture, finish, new_picture, say, short

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

MOST_PREDICTIONS = 50
MOST_PANELS = 12
COLUMNS = 2
FEW = 30
"""Observations: the density of fewer says more of its smoothing than of them."""


def ppc_picture(tree: xr.DataTree, var_names: str | Sequence[str] | None) -> Picture:
    """Return a panel an observed variable: its density, and that of some predictions.

    Raises:
        SettingsError: nothing was predicted, or a name is unknown.
    """
    if "posterior_predictive" not in tree.children:
        raise SettingsError(
            "the tree has no posterior_predictive: make it by "
            "tree = ex.sample_posterior_predictive(tree, model)."
        )
    predicted = tree.children["posterior_predictive"].to_dataset()
    observed = tree.children["observed_data"].to_dataset() if "observed_data" in tree.children else {}
    names = chosen_variables(predicted, var_names, "posterior_predictive")
    if not names:
        raise SettingsError("no prediction is named, so that nothing would be plotted: leave var_names out.")
    shown = names[:MOST_PANELS]
    picture = new_picture(9.0, 0.7 + 2.3 * -(-len(shown) // COLUMNS))
    grid = picture.subplots(-(-len(shown) // COLUMNS), min(COLUMNS, len(shown)), squeeze=False).reshape(-1)
    for unused in grid[len(shown) :]:
        unused.set_axis_off()
    for axes, name in zip(grid, shown, strict=False):
        values = by_chain_and_draw(predicted, name).values
        data = np.asarray(observed[name].values, dtype=float) if name in observed else np.zeros(0)
        _draw(
            axes, name, values.reshape(values.shape[0] * values.shape[1], -1).astype(float), data.reshape(-1)
        )
    return finish(picture, _notes(len(shown), len(names)))


def _draw(axes: Axes, name: str, predictions: np.ndarray, data: np.ndarray) -> None:
    """Draw densities; of few or whole numbers, which have none worth drawing, shares below."""
    predictions, data = within_reach(predictions), within_reach(data)
    data = data[np.isfinite(data)]
    finite = predictions[np.isfinite(predictions)]
    is_single = predictions.shape[1] == 1  # one number a draw: all draws together are the prediction
    is_cumulative = 1 < predictions.shape[1] < FEW or whole_numbers(finite) is not None
    axes.set_title(f"{short(name)}, share up to each value" if is_cumulative else short(name))
    if finite.size < 2:
        say(axes, "no finite prediction")
        return
    line = _steps if is_cumulative else _curve
    step = -(-len(predictions) // MOST_PREDICTIONS)
    for values in () if is_single else predictions[step // 2 :: step]:
        line(axes, values, color=CHAIN_COLOURS[0], alpha=0.3, linewidth=0.6)
    line(axes, predictions, color=CHAIN_COLOURS[0], linewidth=1.8, label="predicted, all draws")
    if data.size == 1:
        axes.axvline(data[0], color=INK, linewidth=1.8, label="observed")
    else:
        line(axes, data, color=INK, linewidth=1.8, label="observed")
    low, high = window(np.concatenate([finite, data]))
    axes.set_xlim(min(low, data.min(initial=low)), max(high, data.max(initial=high)))
    axes.set_ylim(bottom=0)
    if not is_cumulative:
        axes.set_yticks([])
    axes.legend(loc="upper left" if is_cumulative else "upper right")


def _curve(axes: Axes, values: np.ndarray, **style: Any) -> None:
    curve = density(values)
    if curve is not None:
        axes.plot(*curve, **style)


def _steps(axes: Axes, values: np.ndarray, **style: Any) -> None:
    """Draw the share of the values up to each place, at some hundred places where there are many."""
    finite = np.sort(values[np.isfinite(values)])
    if finite.size:
        picks = np.unique(np.linspace(0, finite.size - 1, min(finite.size, GRID)).round().astype(int))
        shares = np.concatenate([[0.0], (picks + 1) / finite.size])
        axes.step(np.concatenate([finite[:1], finite[picks]]), shares, where="post", **style)


def _notes(shown: int, of: int) -> tuple[str, ...]:
    thin = f"A thin line a draw, {MOST_PREDICTIONS} at most, evenly spread over all."
    return (thin, f"{shown} of {of} variables are shown.") if shown < of else (thin,)
