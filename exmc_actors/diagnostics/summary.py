"""Reduce a posterior to one table: values, their errors, and whether to trust them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from exmc_actors.diagnostics.convergence import convergence
from exmc_actors.diagnostics.ess import in_units_of_range
from exmc_actors.diagnostics.mcse import mcse
from exmc_actors.diagnostics.quantities import chosen_variables, posterior_of, quantities

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

COLUMNS = ("mean", "sd", "q5", "q50", "q95", "mcse_mean", "mcse_sd", "ess_bulk", "ess_tail", "r_hat")


def summary(tree: xr.DataTree, var_names: str | Sequence[str] | None = None) -> pd.DataFrame:
    """Return one row a scalar, named ``theta[0]``, or ``theta[Choate]`` where coordinates have labels.

    Labels of which two read alike, of an axis or side by side, tell nothing apart: there the numbers stand.
    ``q5``, ``q50`` and ``q95`` are quantiles. What draws are too few or not finite enough for is NaN.

    Args:
        tree: with a group ``posterior``, fresh from sampling or opened from a file.
        var_names: the variables to show; all by default.

    Raises:
        SettingsError: the posterior has no variable of that name.
    """
    import pandas as pd

    posterior = posterior_of(tree)
    names: list[str] = []
    rows = [np.empty((0, len(COLUMNS)))]
    for part in quantities(posterior, chosen_variables(posterior, var_names)):
        if part.names:
            names += part.names
            # In one layout, whatever the tree has: the last bits of sums depend on it.
            rows.append(_estimates(np.ascontiguousarray(part.draws)))
    return pd.DataFrame(np.concatenate(rows), index=pd.Index(names), columns=list(COLUMNS))


def _estimates(draws: np.ndarray) -> np.ndarray:
    """Return a row a quantity; ``draws`` has shape (quantity, chain, draw)."""
    if draws.shape[1] * draws.shape[2] < 2:
        return np.full((len(draws), len(COLUMNS)), np.nan)
    flat = draws.reshape(len(draws), -1).astype(float, copy=False)
    # What overflows or comes to nothing on the way is infinite or NaN in the table.
    with np.errstate(all="ignore"):
        scaled, exponents = in_units_of_range(flat.reshape(draws.shape))
        agreement = convergence(scaled)
        rows = scaled.reshape(flat.shape)
        mean, sd, *errors = np.ldexp([rows.mean(axis=1), rows.std(axis=1, ddof=1), *mcse(scaled)], exponents)
        columns = (
            mean,
            sd,
            *np.quantile(flat, (0.05, 0.5, 0.95), axis=1),
            *errors,
            agreement.ess_bulk,
            agreement.ess_tail,
            agreement.r_hat,
        )
    return np.stack(columns, axis=1)
