"""Estimate how many independent draws the draws of several chains are worth.

References:
    Geyer (1992), *Practical Markov chain Monte Carlo*; Vehtari et al. (2021), section 3.2.
"""

import numpy as np


def ess(chains: np.ndarray) -> np.ndarray:
    """Return the effective sample size of each quantity's mean; all draws count where nothing varies.

    At most ``draws * log10(draws)`` where draws are antithetic. Splitting and ranking are the caller's.
    """
    size = chains.shape[1] * chains.shape[2]
    with np.errstate(divide="ignore", invalid="ignore"):
        time = _autocorrelation_time(_autocorrelation(chains))
    constant = np.ptp(chains, axis=(1, 2)) < np.finfo(float).resolution
    effective: np.ndarray = size / np.maximum(time, 1 / np.log10(size))
    return np.where(constant, float(size), effective)


def _autocorrelation(chains: np.ndarray) -> np.ndarray:
    """Return the autocorrelation at each lag, of all chains together: disagreement counts as correlation."""
    draws = chains.shape[2]
    means = chains.mean(axis=2, keepdims=True)
    # Padded to twice the length, so that the end of a chain does not meet its start.
    padded = 1 << (2 * draws - 1).bit_length()
    spectrum = np.fft.rfft(chains - means, n=padded, axis=2)
    power = (spectrum.real**2 + spectrum.imag**2).mean(axis=1)
    covariance = np.fft.irfft(power, n=padded, axis=1)[:, :draws] / draws
    within = covariance[:, :1] * draws / (draws - 1)
    pooled = covariance[:, :1] + means[:, :, 0].var(axis=1, ddof=1, keepdims=True)
    correlation: np.ndarray = 1.0 - (within - covariance) / pooled
    correlation[:, 0] = 1.0
    return correlation


def _autocorrelation_time(correlation: np.ndarray) -> np.ndarray:
    """Sum correlations by Geyer's initial monotone sequence: pairs of lags, up to the first negative pair."""
    lags = correlation.shape[1]
    last = max(0, (lags - 1) // 2 - 1)
    even = correlation[:, 0 : 2 * last + 1 : 2]
    pairs = even + correlation[:, 1 : 2 * last + 2 : 2]
    ends = np.argmax(np.append(pairs[:, :-1] <= 0, np.ones((len(pairs), 1), dtype=bool), axis=1), axis=1)
    summed = np.where(np.arange(last + 1) < ends[:, None], np.minimum.accumulate(pairs, axis=1), 0.0).sum(
        axis=1
    )
    # The pair that ends the sum still lends its even lag, lest antithetic chains look better than they are.
    ending = np.take_along_axis(pairs, ends[:, None], axis=1)[:, 0]
    final = np.take_along_axis(even, ends[:, None], axis=1)[:, 0]
    time: np.ndarray = -1.0 + 2.0 * summed + np.where(ending < 0, np.maximum(final, 0.0), final)
    return time
