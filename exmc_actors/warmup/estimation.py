"""Learn a metric from pairs of positions and gradients, on the host in float64.

The metric minimises the Fisher divergence between the whitened posterior and a standard normal.  Of a
diagonal that is the square root of the ratio of the variances of positions and gradients: for independent
normals exact after two draws, and without any floor, which a posterior with tiny scales could not bear.
What the diagonal leaves over is a symmetric matrix, the geometric mean of the covariance of the whitened
positions and the inverse covariance of the whitened gradients, of which the few directions are kept that
are far from 1.

References:
  Seyboldt, Carlson and Carpenter (2026), *Preconditioning HMC by minimising the Fisher divergence*,
  arXiv 2603.18845.
  Bhatia (2007), *Positive Definite Matrices*, chapter 4, for the geometric mean.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from exmc_actors.kernel import Metric, capacity_for

LARGEST_RANK = 64
_FAR = 1.5
"""Directions whose eigenvalue, or its inverse, is beyond this are kept."""

Pairs = NDArray[np.float64]
"""Positions and gradients, shape (n, 2, d)."""


def rank_capacity(dim: int) -> int:
    """Return how many rows a metric of so many dimensions is given."""
    return capacity_for(min(dim, LARGEST_RANK))


def learn(pairs: Pairs, previous: Metric, *, directions: bool) -> Metric:
    """Return the metric of some draws.

    Args:
      pairs: positions and gradients, shape (n, 2, d); fewer than two teach nothing.
      previous: what stays where they say nothing.
      directions: whether to look for more than a diagonal.
    """
    if len(pairs) < 2:
        return previous
    with np.errstate(all="ignore"):
        centred = pairs - np.add.reduce(pairs) / len(pairs)  # np.mean takes twice as long
        diagonal = _diagonal(centred, previous)
        if not directions or not len(diagonal.stretch):
            return diagonal
        x, y = centred[:, 0] / diagonal.scale, centred[:, 1] * diagonal.scale
        try:
            found = _with_directions(diagonal, x, y)
        except np.linalg.LinAlgError:  # not finite, or too far apart for float64
            return diagonal
        return found if np.isfinite(found.directions).all() and np.isfinite(found.stretch).all() else diagonal


def without_directions(scale: Any, capacity: int) -> Metric:
    """Return a diagonal metric with room for directions; the scale may be traced."""
    rows: Any = np.zeros((capacity, len(scale))), np.zeros(capacity), np.int64(0)
    return Metric(scale, *rows)


def _diagonal(centred: Pairs, previous: Metric) -> Metric:
    of_positions, of_gradients = np.sqrt(np.add.reduce(centred * centred) / len(centred))
    scale = np.sqrt(of_positions / of_gradients)
    usable = np.where(np.isfinite(scale) & (scale > 0.0), scale, previous.scale)
    return without_directions(usable, previous.directions.shape[0])


def _with_directions(diagonal: Metric, x: NDArray[np.float64], y: NDArray[np.float64]) -> Metric:
    n, dim = x.shape
    basis = None
    if 2 * n < dim:  # elsewhere than in the span of the draws, the mean is the identity
        basis = np.linalg.qr(np.concatenate([x, y]).T)[0]
        x, y = x @ basis, y @ basis
    eigenvalues, vectors = np.linalg.eigh(_geometric_mean(_shrunk(x), _shrunk(y)))
    far = np.abs(np.log(eigenvalues))
    order = np.argsort(-far, kind="stable")[: min(LARGEST_RANK, len(far))]
    kept = order[far[order] > np.log(_FAR)]
    found = vectors[:, kept] if basis is None else basis @ vectors[:, kept]
    rows: Any = np.zeros(diagonal.directions.shape)
    stretch: Any = np.zeros(diagonal.stretch.shape)
    rows[: len(kept)], stretch[: len(kept)] = found.T, np.sqrt(eigenvalues[kept]) - 1.0
    rank: Any = np.int64(len(kept))
    return Metric(diagonal.scale, rows, stretch, rank)


def _shrunk(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the covariance of centred rows, with one row's weight on the identity."""
    found = x.T @ x
    found.flat[:: len(found) + 1] += 1.0
    found /= len(x) + 1.0
    return found


def _geometric_mean(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the geometric mean of A and the inverse of B: the S with S B S = A."""
    factor = np.linalg.cholesky(b)
    eigenvalues, vectors = np.linalg.eigh(factor.T @ a @ factor)
    half = np.linalg.solve(factor.T, vectors)
    return np.asarray((half * np.sqrt(np.maximum(eigenvalues, 0.0))) @ half.T)
