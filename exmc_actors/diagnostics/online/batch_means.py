"""Estimate the variance of a mean over correlated draws from the means of batches; no draw is seen here.

What is estimated is the variance of the mean of ``n`` draws, times ``n``: the long-run variance.  Batches of
all chains are compared with one grand mean (replicated batch means), so that chains that disagree count
against it.  The error of short batches is taken off, to first order, by a second estimate at half the size
(lugsail).

References:
    Argon, Andradóttir (2006), *Replicated batch means for steady-state simulations*, Naval Research
    Logistics 53; Vats, Flegal (2022), *Lugsail lag windows for estimating time-average covariance matrices*,
    Biometrika 109; Sokal (1997), *Monte Carlo methods in statistical mechanics*, for the choice of a window
    by what it finds.
"""

from collections.abc import Iterator, Sequence
from math import log10, sqrt
from statistics import NormalDist

import numpy as np

LENGTHS = 5.0
"""A batch is long enough when it is so many times the autocorrelation time that it finds."""
FEWEST_BATCHES = 32
"""Of all chains, however long their batches ought to be; and a few of each, not to miss what is slow."""
FEWEST_OF_A_CHAIN = 4
DOUBT = 1e-5
"""How seldom the halves of the chains may contradict the batches by chance: one quantity of so many."""
DOUBT_OF_SHORT = 0.05
"""The same where batches are not long enough, so that a contradiction is likely."""


def long_run_variance(batches: Sequence[np.ndarray], size: int) -> np.ndarray:
    """Return the replicated batch-means estimate; NaN of less than two batches.

    Args:
        batches: means of each chain's batches, of shape (quantity, batch).
        size: draws of a batch.
    """
    means = np.concatenate(batches, axis=1)
    if means.shape[1] < 2:
        return np.full(len(means), np.nan)
    variance: np.ndarray = size * means.var(axis=1, ddof=1)
    return variance


def paired(batches: np.ndarray) -> np.ndarray:
    """Return the means of batches twice as long; an odd one at the end is left out."""
    even = batches.shape[1] // 2 * 2
    longer: np.ndarray = (batches[:, 0:even:2] + batches[:, 1:even:2]) / 2
    return longer


def ladder(batches: Sequence[np.ndarray], size: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield batch sizes, each twice the one before it, with lugsail estimates of the long-run variance.

    Args:
        batches: as of ``long_run_variance``.
        size: draws of a batch.
    """
    shorter = long_run_variance(batches, size)
    while True:
        batches, size = [paired(one) for one in batches], 2 * size
        longer = long_run_variance(batches, size)
        yield size, 2.0 * longer - shorter
        if sum(one.shape[1] for one in batches) < 2 * max(FEWEST_BATCHES, FEWEST_OF_A_CHAIN * len(batches)):
            return
        shorter = longer


def chosen(rungs: Iterator[tuple[int, np.ndarray]], variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the estimate of the shortest batches that are long enough, and where none is."""
    found, short = np.full(len(variance), np.nan), np.full(len(variance), True)
    for size, estimate in rungs:
        found = np.where(short, estimate, found)
        short &= ~(size >= LENGTHS * estimate / variance)
    return found, short


def unless_contradicted(
    estimate: np.ndarray, short: np.ndarray, by_halves: np.ndarray, halves: int
) -> np.ndarray:
    """Return the estimate from the halves of the chains where it is larger by more than chance allows.

    So chains that disagree, or are shorter than their own autocorrelation, look no better than they are.

    Args:
        estimate: of the long-run variance, from batches.
        short: where these batches were not long enough.
        by_halves: the estimate with the halves of the chains for batches.
        halves: how many there are.
    """
    limit = np.where(short, _limit(halves, DOUBT_OF_SHORT), _limit(halves, DOUBT))
    return np.where(by_halves > limit * estimate, by_halves, estimate)


def _limit(halves: int, doubt: float) -> float:
    """Return the quantile of a chi-squared variable over its mean, by Wilson & Hilferty."""
    spread = 2.0 / (9.0 * (halves - 1))
    return float((1.0 - spread + NormalDist().inv_cdf(1.0 - doubt) * sqrt(spread)) ** 3)


def effective(long_run: np.ndarray, variance: np.ndarray, draws: int) -> np.ndarray:
    """Return the effective sample size of the mean; all draws count where nothing varies.

    At most ``draws * log10(draws)``, as ArviZ has it.

    Args:
        long_run: variance, for each quantity.
        variance: of the draws of all chains.
        draws: of all chains.
    """
    time = np.where(variance == 0.0, 1.0, long_run / np.where(variance == 0.0, 1.0, variance))
    size: np.ndarray = draws / np.maximum(time, 1.0 / log10(draws))
    return size
