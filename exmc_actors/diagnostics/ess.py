"""Estimate how many independent draws the draws of several chains are worth.

References:
    Geyer (1992), *Practical Markov chain Monte Carlo*; Vehtari et al. (2021), section 3.2.
"""

from collections.abc import Callable

import numpy as np

FEW_LAGS = 16
"""After so many lags most sums have ended; they cost less than a Fourier transform."""


def ess(chains: np.ndarray) -> np.ndarray:
    """Return the effective sample size of each quantity's mean; all draws count where nothing varies.

    At most ``draws * log10(draws)`` where draws are antithetic. Splitting and ranking are the caller's.
    """
    size = chains.shape[1] * chains.shape[2]
    with np.errstate(divide="ignore", invalid="ignore"):
        time = _autocorrelation_time(_autocorrelation(chains, _first_covariances), chains.shape[2])
        slow = np.flatnonzero(np.isnan(time))
        if len(slow):
            time[slow] = _autocorrelation_time(_autocorrelation(chains[slow], _covariances), chains.shape[2])
    constant = np.ptp(chains, axis=(1, 2)) < np.finfo(float).resolution
    effective: np.ndarray = size / np.maximum(time, 1 / np.log10(size))
    return np.where(constant, float(size), effective)


def _first_covariances(centred: np.ndarray) -> np.ndarray:
    """Return the autocovariance at the first lags, the mean over the chains."""
    quantities, chains, draws = centred.shape
    lags = min(FEW_LAGS, draws)
    # Zeros between the chains, so that the end of one does not meet the start of the next.
    spaced = np.zeros((quantities, chains, draws + lags))
    spaced[:, :, :draws] = centred
    line = spaced.reshape(quantities, -1)
    length = line.shape[1]
    products = [np.vecdot(line[:, : length - lag], line[:, lag:]) for lag in range(lags)]
    covariances: np.ndarray = np.stack(products, axis=1) / (chains * draws)
    return covariances


def _covariances(centred: np.ndarray) -> np.ndarray:
    """Return the autocovariance at all lags, the mean over the chains."""
    draws = centred.shape[2]
    # Padded to twice the length, so that the end of a chain does not meet its start.
    padded = 1 << (2 * draws - 1).bit_length()
    spectrum = np.fft.rfft(centred, n=padded, axis=2)
    power = (spectrum.real**2 + spectrum.imag**2).mean(axis=1)
    covariances: np.ndarray = np.fft.irfft(power, n=padded, axis=1)[:, :draws] / draws
    return covariances


def _autocorrelation(chains: np.ndarray, covariances: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return the autocorrelation at each lag, of all chains together: disagreement counts as correlation."""
    draws = chains.shape[2]
    means = chains.mean(axis=2, keepdims=True)
    covariance = covariances(chains - means)
    within = covariance[:, :1] * draws / (draws - 1)
    pooled = covariance[:, :1] + means[:, :, 0].var(axis=1, ddof=1, keepdims=True)
    correlation: np.ndarray = 1.0 - (within - covariance) / pooled
    correlation[:, 0] = 1.0
    return correlation


def _autocorrelation_time(correlation: np.ndarray, draws: int) -> np.ndarray:
    """Sum correlations by Geyer's initial monotone sequence: pairs of lags, up to the first negative pair.

    NaN where that pair is not among the lags that are given, of chains of so many draws.
    """
    lags = correlation.shape[1]
    last = max(0, (lags - 1) // 2 - 1)
    even = correlation[:, 0 : 2 * last + 1 : 2]
    pairs = even + correlation[:, 1 : 2 * last + 2 : 2]
    ends_here = np.append(pairs[:, :-1] <= 0, np.ones((len(pairs), 1), dtype=bool), axis=1)
    ends = np.argmax(ends_here, axis=1)
    summed = np.where(np.arange(last + 1) < ends[:, None], np.minimum.accumulate(pairs, axis=1), 0.0).sum(
        axis=1
    )
    # The pair that ends the sum still lends its even lag, lest antithetic chains look better than they are.
    ending = np.take_along_axis(pairs, ends[:, None], axis=1)[:, 0]
    final = np.take_along_axis(even, ends[:, None], axis=1)[:, 0]
    time: np.ndarray = -1.0 + 2.0 * summed + np.where(ending < 0, np.maximum(final, 0.0), final)
    time[(ends == last) & (lags < draws)] = np.nan
    return time
