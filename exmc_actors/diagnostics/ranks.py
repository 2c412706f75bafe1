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
    return Sorted(order, _taken(flat, order))


def folded(draws: Sorted) -> Sorted:
    """Return the distances from the median, in order."""
    size = draws.values.shape[1]
    middle = draws.values[:, [(size - 1) // 2, size // 2]].mean(axis=1, keepdims=True)
    distances = np.abs(draws.values - middle)
    # They fall to the median and rise again: a sort that sees runs merges the two.
    order = np.argsort(distances, axis=1, kind="stable")
    return Sorted(_taken(draws.order, order), _taken(distances, order))


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
    in_order = np.tile(_scores(size)[2::2], (rows, 1))
    _share_ranks(in_order.reshape(-1), np.flatnonzero(~opens_tie), size)
    scores = np.empty((rows, size))
    for row, order, score in zip(scores, draws.order, in_order, strict=True):
        row[order] = score
    return scores


def _share_ranks(scores: np.ndarray, tied: np.ndarray, size: int) -> None:
    """Give draws that are equal the score of their mean rank.

    Args:
      scores: of the draws of all quantities in ascending order, one quantity after the other; changed.
      tied: where a draw equals the one before it.
      size: the draws of one quantity.
    """
    begins = np.flatnonzero(np.diff(tied, prepend=-2) != 1)
    length = np.diff(begins, append=len(tied)) + 1
    first = tied[begins] - 1
    # Twice the mean rank is an integer, from 2 to twice the number of draws.
    shared = _scores(size)[2 * (first % size) + length + 1]
    scores[first] = shared
    scores[tied] = np.repeat(shared, length - 1)


def _taken(values: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return each row in its order; faster row by row than by ``take_along_axis``."""
    taken = np.empty_like(values)
    for row, place, one in zip(values, order, taken, strict=True):
        np.take(row, place, out=one, mode="clip")
    return taken


@lru_cache(maxsize=4)
def _scores(size: int) -> np.ndarray:
    """Return the score of each doubled rank among ``size`` draws; computed once for all quantities."""
    # Blom's offset of 3/8; the scores are antisymmetric around the middle rank.
    quantile = NormalDist().inv_cdf
    lower = [quantile((doubled / 2 - 0.375) / (size + 0.25)) for doubled in range(1, size + 1)]
    return np.array([0.0, *lower, 0.0, *(-score for score in reversed(lower))])
