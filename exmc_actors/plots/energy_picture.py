"""Draw the energy of the draws beside its changes, and how well each chain explores it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exmc_actors.diagnostics.checks import LOWEST_E_BFMI, e_bfmi
from exmc_actors.errors import SettingsError
from exmc_actors.plots.choice import gave_up, statistic
from exmc_actors.plots.curves import density
from exmc_actors.plots.picture import (
    CHAIN_COLOURS,
    DIVERGENCE_COLOUR,
    MUTED,
    Picture,
    finish,
    new_picture,
    say,
)

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

_SERIES = (("marginal energy", CHAIN_COLOURS[0]), ("change of energy a transition", CHAIN_COLOURS[1]))


def energy_picture(tree: xr.DataTree) -> Picture:
    """Return two panels: the distributions of the energy and of its changes, and E-BFMI by chain.

    Raises:
        SettingsError: the tree has no energies.
    """
    energy = statistic(tree, "energy")
    if energy is None:
        raise SettingsError("the tree has no energy in sample_stats, so that there is none to plot.")
    picture = new_picture(9.0, 2.9)
    left, right = picture.subplots(1, 2, width_ratios=(2.6, 1))
    _draw_distributions(left, energy.values)
    _draw_fractions(right, e_bfmi(energy.values), [str(one) for one in energy["chain"].values])
    told = gave_up(tree)
    return finish(picture, (told,) if told else ())


def _draw_distributions(axes: Axes, energy: np.ndarray) -> None:
    series = energy - energy.mean(), np.diff(energy, axis=1)
    for values, (label, line_colour) in zip(series, _SERIES, strict=True):
        curve = density(values)
        if curve is None:
            say(axes, "the energy does not vary, or there are too few draws")
            return
        axes.fill_between(*curve, color=line_colour, alpha=0.3, linewidth=0)
        axes.plot(*curve, color=line_colour, label=label)
    axes.set_ylim(bottom=0)
    axes.set_yticks([])
    axes.set_title("Energy: good where both cover each other")
    axes.legend(loc="upper right")


def _draw_fractions(axes: Axes, fractions: np.ndarray, chains: list[str]) -> None:
    places = np.arange(len(fractions))
    axes.axhspan(0, LOWEST_E_BFMI, color=DIVERGENCE_COLOUR, alpha=0.12, linewidth=0)
    axes.text(
        0.98, LOWEST_E_BFMI, "too low below", transform=axes.get_yaxis_transform(), ha="right", va="bottom",
        color=MUTED, fontsize=7,
    )  # fmt: skip
    is_low = fractions < LOWEST_E_BFMI
    axes.plot(places[~is_low], fractions[~is_low], "o", color=CHAIN_COLOURS[0])
    axes.plot(places[is_low], fractions[is_low], "X", color=DIVERGENCE_COLOUR)
    axes.set_xlim(-0.6, len(fractions) - 0.4)
    axes.set_ylim(0, max(1.2, np.nanmax(fractions, initial=0.0) * 1.1))
    if len(chains) <= 12:
        axes.set_xticks(places, chains)
    axes.set_xlabel("chain")
    axes.set_title("E-BFMI")
