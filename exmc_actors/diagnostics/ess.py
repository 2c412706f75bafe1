"""Estimate how many independent draws the draws of several chains are worth.

References:
    Geyer (1992), *Practical Markov chain Monte Carlo*; Vehtari et al. (2021), section 3.2.
"""

from collections.abc import Iterator
from math import inf, log10

import numpy as np

from exmc_actors.diagnostics.rhat import variance

FEW_LAGS = 16
"""After so many lags most sums have ended; they cost less than a Fourier transform."""

_CONSTANT = float(np.finfo(float).resolution)
"""Draws that differ by less do not vary."""


def ess(chains: np.ndarray) -> np.ndarray:
    """Return the effective sample size of each quantity's mean; all draws count where nothing varies.

    At most ``draws * log10(draws)`` where draws are antithetic. Splitting and ranking are the caller's.

    Args:
        chains: shape (quantity, chain, draw), at least two draws.
    """
    quantities, count, draws = chains.shape
    size = count * draws
    means = np.add.reduce(chains, axis=2) / draws
    # Zeros between the chains, so that the end of one does not meet the start of the next.
    spaced = np.zeros((quantities, count, draws + min(FEW_LAGS, draws)))
    np.subtract(chains, means[:, :, None], out=spaced[:, :, :draws])
    effective = np.full(quantities, float(size))
    for number, between in enumerate(variance(means).tolist()):
        # Not by the variance: that of large constants is what their mean was rounded by.
        if np.ptp(chains[number]) >= _CONSTANT:
            time = _autocorrelation_time(_covariances(spaced[number], draws), between, draws)
            effective[number] = size / max(time, 1 / log10(size))
    return effective


def _covariances(spaced: np.ndarray, draws: int) -> Iterator[float]:
    """Yield the autocovariance at each lag, the mean over the chains, no sooner than it is asked for."""
    line, size = spaced.reshape(-1), len(spaced) * draws
    for lag in range(min(FEW_LAGS, draws)):
        yield float(line[: len(line) - lag] @ line[lag:]) / size
    # Padded to twice the length, so that the end of a chain does not meet its start.
    padded = 1 << (2 * draws - 1).bit_length()
    spectrum = np.fft.rfft(spaced[:, :draws], n=padded, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).mean(axis=0)
    yield from (np.fft.irfft(power, n=padded)[FEW_LAGS:draws] / draws).tolist()


def _autocorrelation_time(covariances: Iterator[float], between: float, draws: int) -> float:
    """Sum autocorrelations by Geyer's initial monotone sequence: pairs of lags, up to the first negative one.

    Args:
        covariances: of all chains together, from lag 0 on.
        between: the variance of the chains' means, by which chains that disagree count as correlated.
        draws: of each chain.
    """
    at_zero = next(covariances)
    within, pooled = at_zero * draws / (draws - 1), at_zero + between
    correlations = (1.0 - (within - covariance) / pooled for covariance in covariances)
    even, odd = 1.0, next(correlations)
    total, least = 0.0, inf
    for _ in range((draws - 1) // 2 - 1):
        if even + odd <= 0:
            break
        least = min(least, even + odd)
        total += least
        even, odd = next(correlations), next(correlations)
    # The pair that ends the sum still lends its even lag, lest antithetic chains look better than they are.
    return -1.0 + 2.0 * total + (max(even, 0.0) if even + odd < 0 else even)
