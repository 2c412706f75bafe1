"""Split chains, and replace the draws of each quantity by normal scores of their ranks.

Where draws are moved about it goes quantity by quantity: their arrays then stay in the fastest cache.

References:
    Vehtari, Gelman, Simpson, Carpenter, Bürkner (2021), *Rank-normalization, folding, and localization: an
    improved R-hat for assessing convergence of MCMC*, Bayesian Analysis 16.
"""

from functools import lru_cache
from math import ceil
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

_SAMPLED = 64
"""Draws that show where the others lie."""
_HIGHEST_PLACE = 65535.0


def split_chains(draws: np.ndarray) -> np.ndarray:
    """Return each chain as two chains of half the length; of an odd number the middle draw is left out.

    Args:
        draws: shape (..., chain, draw); the result has twice as many chains, in another order.
    """
    half = draws.shape[-1] // 2
    return np.concatenate((draws[..., :half], draws[..., draws.shape[-1] - half :]), axis=-2)


class Sorted(NamedTuple):
    """The draws of each quantity, whichever their chains, in ascending order."""

    order: np.ndarray
    """Where each came from, shape (quantity, draws of all chains)."""
    values: np.ndarray


def ascending(draws: np.ndarray) -> Sorted:
    """Return the draws of each quantity in order.

    Args:
        draws: shape (quantity, chain, draw).
    """
    flat = draws.reshape(len(draws), -1)
    order = _roughly_ascending(flat)
    values = _taken(flat, order)
    # What is nearly in order already, a sort that sees runs finishes in a fraction of the time.
    rest = values.argsort(axis=1, kind="stable")
    return Sorted(_taken(order, rest), _taken(values, rest))


def _roughly_ascending(flat: np.ndarray) -> np.ndarray:
    """Return an order in which few draws are out of place: that of 16 bits, which NumPy sorts by digits."""
    some = np.sort(flat[:, :: max(1, flat.shape[1] // _SAMPLED)], axis=1)
    low, middle, high = (some[:, part * some.shape[1] // 4, None] for part in (1, 2, 3))
    with np.errstate(over="ignore", invalid="ignore"):  # draws of 1e308 find their places afterwards
        place = flat - middle
        # From -1 to 1 and rising, so that a long tail does not crowd the other draws together.
        place /= np.abs(place) + (high - low + np.finfo(float).tiny)
        place += 1.0
        place *= _HIGHEST_PLACE / 2
        order: np.ndarray = place.astype(np.uint16).argsort(axis=1, kind="stable")
    return order


def folded(draws: Sorted) -> Sorted:
    """Return the distances from the median, in order."""
    size = draws.values.shape[1]
    with np.errstate(over="ignore"):  # beyond the greatest float, distances are infinite, and ties
        middle = (draws.values[:, (size - 1) // 2] + draws.values[:, size // 2]) / 2
        distances = np.abs(draws.values - middle[:, None])
    # They fall to the median and rise again: a sort that sees runs merges the two.
    order = distances.argsort(axis=1, kind="stable")
    return Sorted(_taken(draws.order, order), _taken(distances, order))


def _taken(values: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return each row's values in its order; NumPy's ``take_along_axis`` takes several times as long."""
    taken = np.empty_like(values)
    for row, places, into in zip(values, order, taken, strict=True):
        row.take(places, out=into, mode="clip")  # they are all there; "raise" would take a copy first
    return taken


def quantile(draws: Sorted, level: float) -> np.ndarray:
    """Return a quantile of each quantity, between two draws as NumPy's ``linear`` method has it."""
    at = level * (draws.values.shape[1] - 1)
    low, high = draws.values[:, int(at)], draws.values[:, ceil(at)]
    part = at - int(at)
    with np.errstate(over="ignore", invalid="ignore"):  # an infinite step from one to the other
        step = high - low
        between: np.ndarray = low + step * part if part < 0.5 else high - step * (1.0 - part)
    return between


def normal_scores(draws: Sorted) -> np.ndarray:
    """Return the normal quantiles of the ranks, where the draws came from; ties share their mean rank."""
    quantities, size = draws.values.shape
    in_order = np.empty((quantities, size))
    in_order[:] = _scores_in_order(size)
    same = np.flatnonzero(draws.values[:, 1:] == draws.values[:, :-1])
    if len(same):
        # From rows of size - 1 comparisons to places in rows of size: the first of a row is never tied.
        _share_ranks(in_order.reshape(-1), same + same // (size - 1) + 1, size)
    scores = np.empty((quantities, size))
    for row, places, values in zip(scores, draws.order, in_order, strict=True):
        row[places] = values
    return scores


def _share_ranks(scores: np.ndarray, tied: np.ndarray, size: int) -> None:
    """Give ties the score of their mean rank.

    Args:
        scores: of draws in order, one quantity of ``size`` draws after the other.
        tied: names each draw that equals the one before it.
        size: of a quantity.
    """
    begins = np.flatnonzero(tied[1:] != tied[:-1] + 1) + 1
    bounds = np.concatenate(([0], begins, [len(tied)]))
    length = bounds[1:] - bounds[:-1] + 1
    first = tied[bounds[:-1]] - 1
    # Twice the mean rank is an integer, from 2 to twice the number of draws.
    shared = _scores(size)[2 * (first % size) + length + 1]
    scores[first] = shared
    scores[tied] = np.repeat(shared, length - 1)


@lru_cache(maxsize=4)
def _scores_in_order(size: int) -> np.ndarray:
    """Return the scores of ``size`` draws that all differ, the smallest first."""
    return np.ascontiguousarray(_scores(size)[2::2])


@lru_cache(maxsize=4)
def _scores(size: int) -> np.ndarray:
    """Return the score of each doubled rank among ``size`` draws; computed once for all quantities."""
    # Blom's offset of 3/8; the scores are antisymmetric around the middle rank.
    quantile = NormalDist().inv_cdf
    lower = [quantile((doubled / 2 - 0.375) / (size + 0.25)) for doubled in range(1, size + 1)]
    return np.array([0.0, *lower, 0.0, *(-score for score in reversed(lower))])
