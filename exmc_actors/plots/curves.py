"""Turn draws into curves: densities, rank differences, autocorrelations; nothing is drawn here."""

import functools

import numpy as np

from exmc_actors.diagnostics.ess import ess

GRID = 512
RANK_GRID = 50
"""Places between 0 and 1 at which the differences of ranks are taken."""
MOST_LAGS = 100
BAND = 0.99
"""How often all chains stay within their band when nothing is wrong."""
REACH = 1e307
"""The largest value that is drawn: matplotlib fails where the distance of the ends of an axis overflows."""
_FAR = 3.0
"""Spans of the middle 90 % beyond which a heavy tail is cut off: it would flatten all the rest."""


def density(values: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return places and the density there, by a Gaussian kernel mirrored at the ends; None of constants.

    Args:
        values: any shape; what is not finite is left out.
    """
    finite = values[np.isfinite(values)]
    if finite.size < 2:
        return None
    low, high = window(finite)
    inside = finite[(finite >= low) & (finite <= high)]
    q25, q75 = np.quantile(inside, (0.25, 0.75))
    spread = min(inside.std(), (q75 - q25) / 1.34) or inside.std()
    step = (high - low) / GRID
    if not spread > 1e-12 * max(abs(low), abs(high)) or step == 0:
        return None
    counts, edges = np.histogram(inside, bins=GRID, range=(low, high))
    width = max(0.9 * spread * inside.size**-0.2 / step, 1e-3)
    reach = int(min(GRID, np.ceil(4 * width)))
    kernel = np.exp(-0.5 * np.square(np.arange(-reach, reach + 1) / width))
    smooth = np.convolve(np.pad(counts, reach, mode="symmetric"), kernel / kernel.sum(), mode="valid")
    return (edges[1:] + edges[:-1]) / 2, smooth / (finite.size * step)


def within_reach(values: np.ndarray) -> np.ndarray:
    """Return values of which those that no axis reaches are infinite: they are left out with these."""
    return np.where(np.abs(values) > REACH, np.inf, values)


def window(finite: np.ndarray) -> tuple[float, float]:
    """Return the ends of what is shown: all values, but for what lies far outside the middle 90 %."""
    q5, q95 = np.quantile(finite, (0.05, 0.95))
    far = _FAR * (q95 - q5)
    return float(max(finite.min(), q5 - far)), float(min(finite.max(), q95 + far))


def whole_numbers(values: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the numbers that occur and their shares, where all are whole and not too many differ."""
    finite = values[np.isfinite(values)]
    if finite.size == 0 or np.ptp(finite) > GRID or (finite != np.rint(finite)).any():
        return None
    least = finite.min()
    counts = np.bincount((finite - least).astype(int))  # the numbers themselves may have no integer
    return least + np.arange(len(counts)), counts / finite.size


def autocorrelation(draws: np.ndarray) -> np.ndarray:
    """Return the autocorrelation of each chain at lags from 0 on.

    Args:
        draws: shape (chain, draw), none of them constant.
    """
    length = draws.shape[1]
    centred = draws - draws.mean(axis=1, keepdims=True)
    spectrum = np.abs(np.fft.rfft(centred, n=2 * length, axis=1)) ** 2
    covariance = np.fft.irfft(spectrum, axis=1)[:, : max(1, min(MOST_LAGS, length // 2))]
    correlation: np.ndarray = covariance / covariance[:, :1]
    return correlation


def rank_differences(draws: np.ndarray) -> tuple[np.ndarray, int]:
    """Return how far each chain's share of the ranks below a place is from that place, and of how many draws.

    Only so many draws are taken, in even steps, as are worth about one independent draw each: the band is
    that of independent draws. Ties are broken by chance, the same each time.

    Args:
        draws: shape (chain, draw), finite, four draws at least.

    Source:
        Säilynoja, Bürkner and Vehtari (2022), *Graphical test for discrete uniformity and its applications*.
    """
    # Each chain by itself: chains that disagree would be worth nothing together, and nobody would see it.
    half = draws.shape[1] // 2
    worth = float(ess(_ranks(draws)[:, : 2 * half].reshape(len(draws), 2, half)).sum())
    ranks = _ranks(draws[:, :: max(1, round(draws.size / max(worth, 1.0)))])
    ordered = np.sort(ranks, axis=1)
    places = rank_places()
    below = np.stack([np.searchsorted(row, places) for row in ordered])
    return below / ranks.shape[1] - places, ranks.shape[1]


def _ranks(draws: np.ndarray) -> np.ndarray:
    """Return the rank of each draw among all, between 0 and 1."""
    ranks = np.empty(draws.size)
    chance = np.random.default_rng(0).random(draws.size)
    ranks[np.lexsort((chance, draws.reshape(-1)))] = (np.arange(draws.size) + 0.5) / draws.size
    return ranks.reshape(draws.shape)


def rank_places() -> np.ndarray:
    """Return the places at which rank differences are taken."""
    return np.linspace(0.0, 1.0, RANK_GRID + 1)


def rank_band(chains: int, draws: int) -> np.ndarray:
    """Return how far from 0 a difference of ranks may be at each place, in 99 of 100 panels of nothing wrong.

    Args:
        chains: that are ranked together, two at least.
        draws: of each.
    """
    places = rank_places()
    spread: np.ndarray = np.sqrt(places * (1 - places) * (1 - 1 / chains) / draws)
    return _widening(chains) * spread


@functools.cache
def _widening(chains: int) -> float:
    """Return how many standard deviations hold for all places and chains at once, by simulated bridges."""
    repeats = max(400, 16_000 // chains)
    steps = np.random.default_rng(0).normal(size=(repeats, chains, RANK_GRID)) / np.sqrt(RANK_GRID)
    walks, places = np.cumsum(steps, axis=2), rank_places()[1:]
    bridges = walks - walks[:, :, -1:] * places
    bridges -= bridges.mean(axis=1, keepdims=True)  # the ranks of all chains together are uniform
    inner = slice(0, -1)
    spread = np.sqrt(places * (1 - places) * (1 - 1 / chains))[inner]
    return float(np.quantile(np.abs(bridges[:, :, inner] / spread).max(axis=(1, 2)), BAND))
