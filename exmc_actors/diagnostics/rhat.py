"""Compare the spread between chains with the spread within them."""

import numpy as np


def rhat(chains: np.ndarray) -> np.ndarray:
    """Return R-hat of each quantity: near 1 where the chains agree, infinite where each chain stands still.

    NaN where nothing varies at all. Splitting and ranking are the caller's.
    """
    draws = chains.shape[2]
    between = chains.mean(axis=2).var(axis=1, ddof=1)
    within = chains.var(axis=2, ddof=1).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: np.ndarray = np.sqrt(between / within + (draws - 1) / draws)
    return ratio
