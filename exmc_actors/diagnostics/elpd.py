"""Hold an estimate of how well a model predicts new data; it is made elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, eq=False)
class Elpd:
    """The expected log density of new data, summed over as many observations as there are.

    Greater is better.  The names are ArviZ's.
    """

    kind: str
    """``loo`` or ``waic``."""
    var_name: str
    """The observed variable."""
    elpd: float
    se: float
    """The standard error of ``elpd``."""
    p: float
    """The effective number of parameters."""
    n_samples: int
    n_data_points: int
    """Observations; those of weight 0 are none, and add nothing."""
    elpd_i: xr.DataArray
    """What each observation adds to ``elpd``."""
    p_i: xr.DataArray
    """What each observation adds to ``p``."""
    warning: bool
    """Whether the estimate should not be trusted."""
    pareto_k: xr.DataArray | None = None
    """How heavy the tail of each observation's importance ratios is; only for ``loo``."""
    good_k: float | None = None
    """Up to which ``pareto_k`` can be trusted."""
    observed: xr.DataArray | None = None
    """The observations, where the tree has them."""

    def __str__(self) -> str:
        lines = [
            f"{self.n_samples} draws, {self.n_data_points} observations of {self.var_name}",
            "",
            f"{'':10}{'estimate':>10}{'se':>10}",
            f"{'elpd_' + self.kind:10}{self.elpd:10.2f}{self.se:10.2f}",
            f"{'p_' + self.kind:10}{self.p:10.2f}",
        ]
        if self.pareto_k is not None and self.good_k is not None:
            beyond = int((~(self.pareto_k <= self.good_k)).sum())
            lines += ["", f"Pareto k above {self.good_k:.2f}: {beyond} of {self.n_data_points}"]
        return "\n".join(lines)


def standard_error_of_sum(terms: np.ndarray) -> float:
    """Return the standard error of a sum by the sample variance of its terms; NaN for a single one.

    Vehtari, Gelman & Gabry (2017), equation 23.
    """
    return math.sqrt(terms.size * terms.var(ddof=1)) if terms.size > 1 else math.nan


def weights_name(var_name: str) -> str:
    """Return the name of the coordinate that says how often each observation of a variable counts."""
    return f"{var_name}_weights"


def weights_of(pointwise: xr.DataArray) -> np.ndarray:
    """Return how often each observation counts: once where nothing is said of it.

    Args:
        pointwise: a number an observation, with the name and the coordinates of its log likelihood.
    """
    name = weights_name(str(pointwise.name))
    given = pointwise.coords[name].values if name in pointwise.coords else 1.0
    weights: np.ndarray = np.broadcast_to(given, pointwise.shape)
    return weights
