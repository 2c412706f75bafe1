"""Compare the halves of all chains by their moments: split R-hat from bins, with no draw at hand.

References:
    Gelman, Carlin, Stern, Dunson, Vehtari, Rubin (2013), *Bayesian Data Analysis*, section 11.4.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from exmc_actors.diagnostics.online.moments import Moments, together


class Halves(NamedTuple):
    """How far the halves of the chains are apart, for each quantity."""

    r_hat: np.ndarray
    """NaN where nothing varies, infinite where each half stands still; neither ranked nor folded."""
    between: np.ndarray
    """The variance of the halves' means, each with the weight of its draws."""
    draws: float
    """Of a half, their mean."""
    number: int
    """How many halves there are."""


def halves_of(parts: Moments) -> tuple[Moments, Moments]:
    """Return the moments of a chain's halves, as ``ranks.split_chains`` while bins have one draw.

    Then of an odd number of draws the middle one is left out; later the halves meet where a bin ends, the
    nearest to where they would.
    """
    counts = np.asarray(parts.draws)
    draws, size = int(counts.sum()), int(counts[0])
    ends, begins = round(draws // 2 / size), round((draws - draws // 2) / size)
    first, second = (
        together(Moments(counts[at], parts.mean[:, at], parts.square[:, at]))
        for at in (slice(ends), slice(begins, None))
    )
    return first, second


def halves(chains: Sequence[Moments]) -> Halves:
    """Return how far the halves of chains agree.

    Args:
        chains: the bins of each, at least two bins with two draws or more, or four with one.
    """
    parts = [half for chain in chains for half in halves_of(chain)]
    counts = np.array([part.draws for part in parts])
    draws = float(counts.mean())
    # A mean of few draws scatters more, and its chain brings as little to the estimates of all draws.
    weights = (counts / draws)[:, np.newaxis]
    means = np.stack([part.mean for part in parts])
    apart = means - (weights * means).mean(axis=0)
    between = (weights * (apart * apart)).sum(axis=0) / (len(parts) - 1)
    within = (weights * np.stack([part.variance for part in parts])).mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        r_hat = np.sqrt(between / within + (draws - 1.0) / draws)
    return Halves(r_hat, between, draws, len(parts))
