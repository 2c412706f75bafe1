"""Estimate how far means and standard deviations of draws are off, as far as chance goes.

References:
    Vehtari et al. (2021), section 4; Kenney and Keeping (1951), *Mathematics of statistics*, II, 7.8: the
    error of a standard deviation by the delta method, with the effective draws of the mean, as ArviZ has it.
"""

import numpy as np

from exmc_actors.diagnostics.convergence import of_the_finite
from exmc_actors.diagnostics.ess import ess
from exmc_actors.diagnostics.ranks import split_chains


def mcse(draws: np.ndarray) -> np.ndarray:
    """Return the Monte Carlo standard errors of means and of standard deviations, a row each.

    Of what does not vary, they are 0 and NaN. Both are NaN where draws are too few or not finite.

    Args:
        draws: shape (quantity, chain, draw), in units near their range, as small numbers count as constants.
    """
    return of_the_finite(draws, _of_some, 2)


def _of_some(draws: np.ndarray) -> np.ndarray:
    effective = ess(split_chains(draws))
    flat = draws.reshape(len(draws), -1)
    squares = (flat - flat.mean(axis=1, keepdims=True)) ** 2
    variance = squares.mean(axis=1)
    of_variance = ((squares**2).mean(axis=1) - variance**2) / effective
    with np.errstate(divide="ignore", invalid="ignore"):
        of_sd = np.sqrt(of_variance / variance / 4)
    return np.stack([flat.std(axis=1, ddof=1) / np.sqrt(effective), of_sd])
