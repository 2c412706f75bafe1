"""Count, mean and sum of squared deviations: taken of some draws, and put together from parts of them.

References:
    Chan, Golub, LeVeque (1983), *Algorithms for computing the sample variance*, The American Statistician 37.
"""

from typing import NamedTuple

import numpy as np


class Moments(NamedTuple):
    """Moments of one part of some draws, or of several along the last axis."""

    draws: np.ndarray | int
    """How many each part has; the same for all quantities, shape () or (part,)."""
    mean: np.ndarray
    """Shape (quantity,) or (quantity, part)."""
    square: np.ndarray
    """Sum of squared deviations from the mean, of the mean's shape."""

    @property
    def variance(self) -> np.ndarray:
        """The unbiased variance; NaN of a single draw."""
        with np.errstate(divide="ignore", invalid="ignore"):
            variance: np.ndarray = np.divide(self.square, np.subtract(self.draws, 1))
        return variance


def moments(draws: np.ndarray) -> Moments:
    """Return the moments along the last axis."""
    mean = draws.mean(axis=-1)
    centred = draws - mean[..., np.newaxis]
    return Moments(draws.shape[-1], mean, np.vecdot(centred, centred))


def together(parts: Moments) -> Moments:
    """Return the moments of all parts along the last axis; NaN of none."""
    total = int(np.sum(parts.draws))
    if total == 0:
        nothing = np.full(len(parts.mean), np.nan)
        return Moments(0, nothing, nothing)
    # From one of them: equal means stay equal to the bit, so that what does not vary is known not to.
    reference = parts.mean[:, :1]
    shift = ((parts.mean - reference) * parts.draws).sum(axis=1, keepdims=True) / total
    apart = parts.mean - reference - shift
    square = parts.square.sum(axis=1) + (apart * apart * parts.draws).sum(axis=1)
    return Moments(total, (reference + shift)[:, 0], square)


def merged(one: Moments, other: Moments) -> Moments:
    """Return the moments of two parts, neither of them empty."""
    total = one.draws + other.draws
    apart = other.mean - one.mean
    mean = one.mean + apart * (other.draws / total)
    return Moments(
        total, mean, one.square + other.square + apart * apart * (one.draws * (other.draws / total))
    )
