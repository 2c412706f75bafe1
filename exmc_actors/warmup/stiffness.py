"""Say by how much a step size changes with the metric; which step size was right before, others know.

The energy error of a trajectory of leapfrog steps in whitened coordinates has, for normals, a variance in
proportion to the fourth power of the step size and to the sum of the squares of the eigenvalues of the
whitened precision.  So two metrics give the same acceptance where that product is the same.  A precision is
the covariance of gradients, whatever the posterior (Fisher's identity).

References:
  Beskos, Pillai, Roberts, Sanz-Serna and Stuart (2013), *Optimal tuning of the hybrid Monte Carlo
  algorithm*, Bernoulli 19, section 3, for the energy error.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exmc_actors.kernel import Metric

_MOST = math.log(10.0)
"""A change is no larger than this, either way: gradients of the way to the posterior promise anything."""


def log_step_size_changes(olds: Sequence[Metric], new: Metric, gradients: NDArray[np.float64]) -> list[float]:
    """Return by how much the logarithm of each step size is to change, 0 where the gradients do not say.

    Args:
      olds: the metrics of the step sizes so far; mostly the same one.
      new: the metric that follows.
      gradients: of draws of the posterior, shape (n, d).
    """
    changes: dict[bytes, float] = {}
    named = [(b"".join(np.asarray(field).tobytes() for field in old), old) for old in olds]
    with np.errstate(all="ignore"):
        centred = gradients - np.add.reduce(gradients) / max(len(gradients), 1)
        aim = _stiffness(new, centred)
        for name, old in named:
            if name not in changes:
                changes[name] = _bounded(0.25 * np.log(_stiffness(old, centred) / aim))
    return [changes[name] for name, _ in named]


def _bounded(change: np.float64) -> float:
    return min(max(float(change), -_MOST), _MOST) if np.isfinite(change) else 0.0


def _stiffness(metric: Metric, gradients: NDArray[np.float64]) -> Any:
    """Return the sum of the squared eigenvalues of the whitened gradients' covariance, times n squared."""
    whitened = gradients * metric.scale
    rank = int(metric.rank)
    if rank:
        rows = np.asarray(metric.directions)[:rank]
        whitened += ((whitened @ rows.T) * np.asarray(metric.stretch)[:rank]) @ rows
    n, dim = whitened.shape
    products = whitened.T @ whitened if dim < n else whitened @ whitened.T
    return np.add.reduce(products * products, axis=None)
