"""Prepare what a chart of one quantity shows, from its bins and its sketch; it draws nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exmc_actors.diagnostics.online.batch_means import chosen, ladder
from exmc_actors.diagnostics.online.bins import Bins
from exmc_actors.diagnostics.online.moments import together
from exmc_actors.diagnostics.online.sketch import Sketch, quantiles

SHOWN = (0.005, 0.995)
"""Quantiles between which a histogram lies: one draw of a heavy tail would squeeze all others together."""
ULPS_A_BIN = 4
"""Distances between neighbouring numbers that a bin is wide at least."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many draws lie between neighbouring edges."""

    edges: np.ndarray
    """One more than there are bins; none where no draw is a finite number."""
    counts: np.ndarray
    """Shape (chain, bin); draws beyond the edges are in no bin."""


@dataclass(frozen=True, slots=True)
class RunningMean:
    """A chain's mean over ever more of its draws."""

    draws: np.ndarray
    """Over how many."""
    mean: np.ndarray
    mcse: np.ndarray
    """Monte Carlo standard errors of these means, by what is now known of the chain's correlation."""


def histogram(sketches: Sequence[Sketch], bins: int) -> Histogram:
    """Return a histogram of one quantity over the central draws of all chains.

    Args:
        sketches: of each chain, of one quantity.
        bins: how many.
    """
    weighted = [_finite(sketch) for sketch in sketches]
    if not sum(len(values) for values, _ in weighted):
        return Histogram(np.zeros(0), np.zeros((len(sketches), 0), dtype=int))
    low, high = quantiles(sketches, SHOWN)[:, 0]
    finite = np.concatenate([values for values, _ in weighted])
    low, high = (low if np.isfinite(low) else finite.min()), (high if np.isfinite(high) else finite.max())
    # The distance of two numbers may be larger than any number; that of their quarters is not.
    scale = 1.0 if np.isfinite(high - low) else 0.25
    span = _span(low * scale, high * scale, bins)
    counts = [np.histogram(values * scale, bins, span, weights=weights) for values, weights in weighted]
    return Histogram(counts[0][1] / scale, np.array([number for number, _ in counts]).astype(int))


def _span(low: float, high: float, bins: int) -> tuple[float, float]:
    """Return the ends of a histogram, far enough apart that no two edges are the same number."""
    least = ULPS_A_BIN * bins * np.spacing(max(abs(low), abs(high)))
    if low == high:
        least = max(least, 1.0)
    wider = max(0.0, least - (high - low)) / 2
    return low - wider, high + wider


def running_means(chains: Sequence[tuple[Bins, np.ndarray]]) -> list[RunningMean]:
    """Return each chain's running mean of one quantity.

    Args:
        chains: the bins of each, with the origin that they are measured from.
    """
    return [_running_mean(bins, origin) for bins, origin in chains]


def _running_mean(bins: Bins, origin: np.ndarray) -> RunningMean:
    parts = bins.parts()
    draws = np.cumsum(parts.draws)
    mean = np.cumsum(parts.mean[0] * parts.draws) / draws
    long_run, _ = chosen(ladder([bins.full()], bins.size), together(parts).variance)
    return RunningMean(draws, origin[0] + mean, np.sqrt(np.maximum(long_run[0], 0.0) / draws))


def _finite(sketch: Sketch) -> tuple[np.ndarray, np.ndarray]:
    """Return the finite values, and how many draws each stands for."""
    parts = [(values[0][np.isfinite(values[0])], weight) for weight, values in sketch.weighted()]
    values = np.concatenate([np.zeros(0), *(part for part, _ in parts)])
    weights = np.concatenate([np.zeros(0), *(np.full(len(part), weight) for part, weight in parts)])
    return values, weights
