"""Split chains and replace draws by normal scores of their ranks, for many quantities at once.

Arrays are of shape (quantity, chain, draw) in this and the neighbouring modules.

References:
    Vehtari, Gelman, Simpson, Carpenter, Bürkner (2021), *Rank-normalization, folding, and localization: an
    improved R-hat for assessing convergence of MCMC*, Bayesian Analysis 16.
"""

from functools import lru_cache
from statistics import NormalDist
from typing import NamedTuple

import numpy as np


def split_chains(draws: np.ndarray) -> np.ndarray:
    """Return each chain as two chains of half the length; of an odd number the middle draw is left out."""
    half = draws.shape[2] // 2
    return np.concatenate((draws[:, :, :half], draws[:, :, draws.shape[2] - half :]), axis=1)


class Sorted(NamedTuple):
    """The draws of each quantity, whichever their chains, in ascending order."""

    order: np.ndarray
    """Where each came from among the draws of its quantity, shape (quantity, draws of all chains)."""
    values: np.ndarray


def ascending(draws: np.ndarray) -> Sorted:
    """Return the draws of each quantity in order."""
    flat = draws.reshape(len(draws), -1)
    order = np.argsort(flat, axis=1)
    return Sorted(order, np.take_along_axis(flat, order, axis=1))


def folded(draws: Sorted) -> Sorted:
    """Return the distances from the median, in order."""
    size = draws.values.shape[1]
    middle = draws.values[:, [(size - 1) // 2, size // 2]].mean(axis=1, keepdims=True)
    distances = np.abs(draws.values - middle)
    # They fall to the median and rise again: a sort that sees runs merges the two.
    order = np.argsort(distances, axis=1, kind="stable")
    return Sorted(*(np.take_along_axis(part, order, axis=1) for part in (draws.order, distances)))


def quantile(draws: Sorted, level: float) -> np.ndarray:
    """Return a quantile of each quantity, between two draws as NumPy's ``linear`` method has it."""
    at = level * (draws.values.shape[1] - 1)
    low, high = draws.values[:, int(at)], draws.values[:, int(np.ceil(at))]
    part = at - int(at)
    between: np.ndarray = low + (high - low) * part if part < 0.5 else high - (high - low) * (1.0 - part)
    return between


def normal_scores(draws: Sorted) -> np.ndarray:
    """Return the normal quantiles of the ranks, where the draws came from; ties share their mean rank."""
    rows, size = draws.values.shape
    opens_tie = np.ones((rows, size), dtype=bool)
    np.not_equal(draws.values[:, 1:], draws.values[:, :-1], out=opens_tie[:, 1:])
    if opens_tie.all():
        in_order = np.broadcast_to(_scores(size)[2::2], (rows, size))
    else:
        first = np.flatnonzero(opens_tie)
        length = np.diff(first, append=rows * size)
        # Twice the mean rank is an integer, from 2 to twice the number of draws.
        in_order = np.repeat(_scores(size)[2 * (first % size) + length + 1], length).reshape(rows, size)
    scores = np.empty((rows, size))
    np.put_along_axis(scores, draws.order, in_order, axis=1)
    return scores


@lru_cache(maxsize=4)
def _scores(size: int) -> np.ndarray:
    """Return the score of each doubled rank among ``size`` draws; computed once for all quantities."""
    # Blom's offset of 3/8; the scores are antisymmetric around the middle rank.
    quantile = NormalDist().inv_cdf
    lower = [quantile((doubled / 2 - 0.375) / (size + 0.25)) for doubled in range(1, size + 1)]
    return np.array([0.0, *lower, 0.0, *(-score for score in reversed(lower))])
