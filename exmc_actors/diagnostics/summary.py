"""Reduce a posterior to one table: estimates, their Monte Carlo errors, and whether to trust them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from exmc_actors.diagnostics.convergence import convergence, monte_carlo_error
from exmc_actors.diagnostics.quantities import chosen_variables, posterior_of, quantities

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]
    import xarray as xr

COLUMNS = ("mean", "sd", "q5", "q50", "q95", "mcse_mean", "mcse_sd", "ess_bulk", "ess_tail", "r_hat")


def summary(tree: xr.DataTree, var_names: str | Sequence[str] | None = None) -> pd.DataFrame:
    """Return one row a scalar, named ``theta[0]``, or ``theta[Choate]`` where coordinates have labels.

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
        names += part.names
        rows.append(_estimates(part.draws))
    return pd.DataFrame(np.concatenate(rows), index=pd.Index(names), columns=list(COLUMNS))


def _estimates(draws: np.ndarray) -> np.ndarray:
    flat = draws.reshape(len(draws), -1).astype(float, copy=False)
    if flat.shape[1] < 2:
        return np.full((len(draws), len(COLUMNS)), np.nan)
    agreement, error = convergence(draws), monte_carlo_error(draws)
    with np.errstate(invalid="ignore"):
        estimates = (
            flat.mean(axis=1),
            flat.std(axis=1, ddof=1),
            *np.quantile(flat, (0.05, 0.5, 0.95), axis=1),
        )
    errors = (error.mean, error.sd)
    return np.stack((*estimates, *errors, agreement.ess_bulk, agreement.ess_tail, agreement.r_hat), axis=1)
