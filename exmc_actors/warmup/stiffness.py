"""Say by how much a step size changes with the metric; which step size was right before, others know.

The energy error of a trajectory of leapfrog steps in whitened coordinates has, for normals, a variance in
proportion to the fourth power of the step size and to the sum of the squares of the eigenvalues of the
whitened precision.  So two metrics give the same acceptance where that product is the same.  A precision is
the covariance of gradients, whatever the posterior (Fisher's identity).

References:
  Beskos, Pillai, Roberts, Sanz-Serna and Stuart (2013), *Optimal tuning of the hybrid Monte Carlo
  algorithm*, Bernoulli 19, section 3, for the energy error.
"""

import hashlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exmc_actors.kernel import Metric

_LARGEST_CHANGE = math.log(10.0)
"""A change is no larger than this, either way: gradients of the way to the posterior promise anything."""


def log_step_size_changes(olds: Sequence[Metric], new: Metric, gradients: NDArray[np.float64]) -> list[float]:
    """Return by how much the logarithm of each step size is to change, 0 where the gradients do not say.

    Args:
      olds: the metrics of the step sizes so far; mostly the same one.
      new: the metric that follows.
      gradients: of draws of the posterior, shape (n, d).
    """
    changes: dict[bytes, float] = {}
    digests = {one: _digest(old) for one, old in {id(old): old for old in olds}.items()}
    with np.errstate(all="ignore"):
        centred = gradients - np.add.reduce(gradients) / max(len(gradients), 1)
        n, dim = centred.shape
        # Of many draws their products, of few the draws: whatever is less to whiten, for each metric.
        given = centred if n < dim else centred.T @ centred
        aim = _stiffness(new, given, n)
        for old in olds:
            if digests[id(old)] not in changes:
                change = 0.25 * np.log(_stiffness(old, given, n) / aim)
                changes[digests[id(old)]] = _bounded(change)
    return [changes[digests[id(old)]] for old in olds]


def _digest(metric: Metric) -> bytes:
    return hashlib.sha256(b"".join(np.asarray(field).tobytes() for field in metric)).digest()


def _bounded(change: np.float64) -> float:
    return min(max(float(change), -_LARGEST_CHANGE), _LARGEST_CHANGE) if np.isfinite(change) else 0.0


def _stiffness(metric: Metric, given: NDArray[np.float64], n: int) -> Any:
    """Return the sum of the squared eigenvalues of the whitened gradients' covariance, times n squared.

    Args:
      metric: whitens.
      given: centred gradients, shape (n, d), or their products, shape (d, d), where n is no less than d.
      n: how many gradients there are.
    """
    whitened = _whitened(metric, given)
    products = whitened @ whitened.T if n < len(metric.scale) else _whitened(metric, whitened.T)
    return np.add.reduce(products * products, axis=None)


def _whitened(metric: Metric, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled = rows * metric.scale
    rank = int(metric.rank)
    if rank:
        directions = np.asarray(metric.directions)[:rank]
        scaled += ((scaled @ directions.T) * np.asarray(metric.stretch)[:rank]) @ directions
    return scaled
