"""Put R-hat, effective sample sizes and Monte Carlo errors together from their parts, in bounded memory."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from exmc_actors.diagnostics.ess import ess
from exmc_actors.diagnostics.ranks import normal_scores, split_chains
from exmc_actors.diagnostics.rhat import rhat

FEWEST_DRAWS = 4
"""Shorter chains cannot be split into halves that vary; their estimates are NaN."""

BATCH = 1 << 20
"""Numbers worked on at once: 8 MB an array, whatever the size of the model."""


@dataclass(frozen=True)
class Convergence:
    """How far the chains agree about each quantity, and how much their draws are worth."""

    r_hat: np.ndarray
    """Rank-normalised, split and folded; for a single chain its halves are compared."""
    ess_bulk: np.ndarray
    ess_tail: np.ndarray
    """The smaller one of the 5 % and the 95 % quantile."""


@dataclass(frozen=True)
class MonteCarloError:
    """Standard errors of the estimates from the draws, not of the posterior."""

    mean: np.ndarray
    sd: np.ndarray


def convergence(draws: np.ndarray) -> Convergence:
    """Return the diagnostics of each quantity; NaN where draws are too few or not finite."""
    return Convergence(*_in_batches(_convergence, draws, columns=3))


def monte_carlo_error(draws: np.ndarray) -> MonteCarloError:
    """Return the standard errors of the mean and the standard deviation of each quantity."""
    return MonteCarloError(*_in_batches(_monte_carlo_error, draws, columns=2))


def _convergence(draws: np.ndarray) -> tuple[np.ndarray, ...]:
    split = split_chains(draws)
    scores = normal_scores(split)
    median = np.median(split, axis=(1, 2), keepdims=True)
    folded = normal_scores(np.abs(split - median))
    low, high = np.quantile(draws, (0.05, 0.95), axis=(1, 2), keepdims=True)
    return (
        np.maximum(rhat(scores), rhat(folded)),
        ess(scores),
        np.minimum(ess(_indicator(draws, low)), ess(_indicator(draws, high))),
    )


def _indicator(draws: np.ndarray, bound: np.ndarray) -> np.ndarray:
    return split_chains((draws <= bound).astype(float))


def _monte_carlo_error(draws: np.ndarray) -> tuple[np.ndarray, ...]:
    size = draws.shape[1] * draws.shape[2]
    squares = (draws - draws.mean(axis=(1, 2), keepdims=True)) ** 2
    variance = squares.mean(axis=(1, 2))
    # The delta method. The squares have an effective size of their own: antithetic chains know their mean
    # better, and their standard deviation worse, than as many independent draws.
    with np.errstate(divide="ignore", invalid="ignore"):
        of_sd = np.sqrt(squares.var(axis=(1, 2)) / ess(split_chains(squares)) / variance / 4)
    of_mean = np.sqrt(variance * size / (size - 1) / ess(split_chains(draws)))
    return of_mean, np.where(variance == 0, 0.0, of_sd)


def _in_batches(
    estimate: Callable[[np.ndarray], tuple[np.ndarray, ...]], draws: np.ndarray, *, columns: int
) -> np.ndarray:
    quantities, chains, length = draws.shape
    result = np.full((columns, quantities), np.nan)
    if chains == 0 or length < FEWEST_DRAWS:
        return result
    sound = np.flatnonzero(np.isfinite(draws).all(axis=(1, 2)))
    step = max(1, BATCH // (chains * length))
    for start in range(0, len(sound), step):
        chosen = sound[start : start + step]
        result[:, chosen] = estimate(draws[chosen].astype(float, copy=False))
    return result
