"""Estimate how many independent draws the draws of several chains are worth.

References:
    Geyer (1992), *Practical Markov chain Monte Carlo*; Vehtari et al. (2021), section 3.2.
"""

from math import log10

import numpy as np

from exmc_actors.diagnostics.rhat import variance

FEW_LAGS = 8
"""After so many lags most sums have ended; they cost less than a Fourier transform."""

SMALLEST_RANGE = float(np.finfo(float).resolution)
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
    between = variance(means)
    effective = np.full(quantities, float(size))
    # Not by the variance: that of large constants is what their mean was rounded by.
    left = np.flatnonzero(np.ptp(chains.reshape(quantities, -1), axis=1) >= SMALLEST_RANGE)
    # All lags end every sum, so that nothing is left after the second.
    for covariances_of in (_first_covariances, _covariances):
        if len(left):
            of_left = spaced if len(left) == quantities else spaced[left]  # copies are most of the cost
            times, has_ended = _autocorrelation_times(covariances_of(of_left, draws), between[left], draws)
            ended = left[has_ended]
            effective[ended] = size / np.maximum(times[has_ended], 1 / log10(size))
            left = left[~has_ended]
    return effective


def in_units_of_range(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return draws in units of a power of two near the range of each quantity, and the exponents of these.

    Small numbers are no constants, whatever the units.  What differs by rounding alone stays as it is.

    Args:
        draws: shape (quantity, chain, draw), of doubles.
    """
    largest = np.abs(draws).max(axis=(1, 2))
    with np.errstate(over="ignore", invalid="ignore"):
        spread = np.ptp(draws, axis=(1, 2))
    differs = spread > SMALLEST_RANGE * np.minimum(largest, 1.0)
    near = np.where(np.isfinite(spread), np.frexp(spread)[1], np.finfo(float).maxexp)
    exponents = np.where(differs & np.isfinite(largest), near, 0)
    return np.ldexp(draws, -exponents[:, None, None]), exponents


def _first_covariances(spaced: np.ndarray, draws: int) -> np.ndarray:
    """Return the autocovariance at the first lags of each quantity, the mean over its chains."""
    lines, size = spaced.reshape(len(spaced), -1), spaced.shape[1] * draws
    products = [
        np.vecdot(lines[:, : lines.shape[1] - lag], lines[:, lag:]) for lag in range(min(FEW_LAGS, draws))
    ]
    covariances: np.ndarray = np.stack(products, axis=1) / size
    return covariances


def _covariances(spaced: np.ndarray, draws: int) -> np.ndarray:
    """Return the autocovariance at every lag of each quantity, the mean over its chains."""
    # Padded to twice the length, so that the end of a chain does not meet its start.
    padded = 1 << (2 * draws - 1).bit_length()
    found = np.empty((len(spaced), draws))
    for quantity, covariances in zip(spaced, found, strict=True):  # a few chains' spectra at a time
        spectrum = np.fft.rfft(quantity[:, :draws], n=padded, axis=1)
        power = (spectrum.real**2 + spectrum.imag**2).mean(axis=0)
        covariances[:] = np.fft.irfft(power, n=padded)[:draws] / draws
    return found


def _autocorrelation_times(
    covariances: np.ndarray, between: np.ndarray, draws: int
) -> tuple[np.ndarray, np.ndarray]:
    """Sum autocorrelations by Geyer's initial monotone sequence: pairs of lags, up to the first negative one.

    Args:
        covariances: of all chains together, shape (quantity, lag): the first lags, or all.
        between: the variance of the chains' means, by which chains that disagree count as correlated.
        draws: of each chain.

    Returns:
        The sums, and for which quantities the lags were enough to know them.
    """
    within = covariances[:, 0] * draws / (draws - 1)
    correlations = 1.0 - (within[:, None] - covariances) / (covariances[:, 0] + between)[:, None]
    correlations[:, 0] = 1.0
    last_pair = max(0, (draws - 1) // 2 - 1)
    even, odd = correlations[:, :-1:2], correlations[:, 1::2]
    pairs = (even + odd)[:, : last_pair + 1]
    is_end = pairs <= 0.0
    if pairs.shape[1] == last_pair + 1:  # it ends a sum of which no pair is negative
        is_end[:, last_pair] = True
    end = is_end.argmax(axis=1)
    rows = np.arange(len(pairs))
    sums = np.minimum.accumulate(pairs, axis=1).cumsum(axis=1)
    total = np.where(end > 0, sums[rows, end - 1], 0.0)
    # The pair that ends the sum still lends its even lag, lest antithetic chains look better than they are.
    at_end = even[rows, end]
    lent = np.where(pairs[rows, end] < 0.0, np.maximum(at_end, 0.0), at_end)
    return -1.0 + 2.0 * total + lent, is_end.any(axis=1)
