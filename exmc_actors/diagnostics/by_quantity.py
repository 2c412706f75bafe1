"""Estimate from the draws of each quantity, of a few at a time, where there are enough and all are finite."""

from collections.abc import Callable

import numpy as np

FEWEST_DRAWS = 4
"""Shorter chains cannot be split into halves that vary."""
_NUMBERS_AT_ONCE = 1 << 15
"""Draws of some quantities: few enough for a processor's cache, and many for a call of NumPy's."""


def by_quantity(draws: np.ndarray, estimate: Callable[[np.ndarray], np.ndarray], rows: int) -> np.ndarray:
    """Return estimates, a row each and a column a quantity; NaN where they cannot be made.

    Args:
        draws: shape (quantity, chain, draw).
        estimate: returns the rows for some of the quantities, whose draws are finite.
        rows: how many.
    """
    quantities, chains, length = draws.shape
    result = np.full((rows, quantities), np.nan)
    if chains == 0 or length < FEWEST_DRAWS:
        return result
    finite = np.flatnonzero(np.isfinite(draws).all(axis=(1, 2)))
    at_once = max(1, _NUMBERS_AT_ONCE // (chains * length))
    for first in range(0, len(finite), at_once):
        some = finite[first : first + at_once]
        result[:, some] = estimate(np.ascontiguousarray(draws[some], dtype=float))
    return result
