"""Estimate how far means and standard deviations of draws are off, as far as chance goes.

References:
    Vehtari et al. (2021), section 4; Kenney and Keeping (1951), *Mathematics of statistics*, II, 7.8: the
    error of a standard deviation by the delta method, with the effective draws of squared deviations.
"""

import numpy as np

from exmc_actors.diagnostics.by_quantity import by_quantity
from exmc_actors.diagnostics.ess import SMALLEST_RANGE, ess
from exmc_actors.diagnostics.ranks import split_chains


def mcse(draws: np.ndarray) -> np.ndarray:
    """Return the Monte Carlo standard errors of means and of standard deviations, a row each.

    Of what does not vary, they are 0 and NaN. Both are NaN where draws are too few or not finite.

    Args:
        draws: shape (quantity, chain, draw), in units near their range, as small numbers count as constants.
    """
    return by_quantity(draws, _of_some, rows=2)


def _of_some(draws: np.ndarray) -> np.ndarray:
    # Of a constant the mean may be rounded; nothing differs from it.
    varies = np.ptp(draws, axis=(1, 2), keepdims=True) >= SMALLEST_RANGE
    squares = np.where(varies, draws - draws.mean(axis=(1, 2), keepdims=True), 0.0) ** 2
    size, variance = draws[0].size, squares.mean(axis=(1, 2))
    # Of two values in equal numbers all squares are the same, but for rounding.
    of_squares = np.maximum((squares**2).mean(axis=(1, 2)) - variance**2, 0.0) / ess(split_chains(squares))
    of_mean = np.sqrt(squares.sum(axis=(1, 2)) / (size - 1) / ess(split_chains(draws)))
    with np.errstate(divide="ignore", invalid="ignore"):
        of_sd = np.sqrt(of_squares / variance / 4)
    return np.stack([of_mean, of_sd])
