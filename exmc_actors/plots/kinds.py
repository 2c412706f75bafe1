"""Find what a kind of picture needs in a tree, and have it drawn in our style."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exmc_actors.errors import SettingsError
from exmc_actors.plots.chain_pictures import autocorr_picture, rank_picture, trace_picture
from exmc_actors.plots.choice import Shown, choose
from exmc_actors.plots.energy_picture import energy_picture
from exmc_actors.plots.picture import Picture, styled
from exmc_actors.plots.posterior_pictures import forest_picture, pair_picture
from exmc_actors.plots.ppc_picture import ppc_picture

if TYPE_CHECKING:
    import xarray as xr

Names = str | Sequence[str] | None


@dataclass(frozen=True)
class _OfQuantities:
    """A picture of quantities of the posterior."""

    draw: Callable[[Shown], Picture]
    most: int
    """Of quantities in one picture."""


_OF_QUANTITIES = {
    "trace": _OfQuantities(trace_picture, 12),
    "rank": _OfQuantities(rank_picture, 12),
    "pair": _OfQuantities(pair_picture, 5),
    "forest": _OfQuantities(forest_picture, 40),
    "autocorr": _OfQuantities(autocorr_picture, 12),
}


def drawn(tree: xr.DataTree, kind: str, var_names: Names = None, most: int | None = None) -> Picture:
    """Return the picture of a kind.

    Args:
        tree: of draws.
        kind: one of ``KINDS``.
        var_names: as in ``ex.plot``.
        most: quantities to show; None means as many as fit the kind.

    Raises:
        SettingsError: a name is unknown, or the tree lacks what is drawn.
    """
    with styled():
        if kind == "ppc":
            return ppc_picture(tree, var_names)
        if kind == "energy":
            if var_names:
                raise SettingsError("energy is of all variables together: leave out var_names.")
            return energy_picture(tree)
        of = _OF_QUANTITIES[kind]
        return of.draw(choose(tree, var_names, most or of.most))
