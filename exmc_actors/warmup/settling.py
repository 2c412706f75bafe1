"""Leave out of a window the draws by which its chain came to where it stays; what is left, others judge.

Where a chain stays, the gradient at a draw times the way from there to the mean is the squared distance
between the two, in standard deviations: chi-squared with as many degrees of freedom as there are dimensions,
for normals in whatever coordinates (the virial).  Where a chain is on its way that product is ten or a
thousand times as large, whether gradients are larger than they will be or, on a plateau, smaller.
"""

import math

import numpy as np

from exmc_actors.warmup.estimation import Pairs

_FEWEST = 10
"""Draws of the later half of a window that say where the chain stays."""
_FAR_OUT = 6.0
"""Standard deviations of a chi-squared beyond which a draw is on the way."""


def settled(pairs: Pairs) -> Pairs:
    """Return a window without the beginning that leads to where the chain is in the later half.

    A few draws of the way decide a metric that is made of variances.  A chain that has arrived may be far
    out for a draw, so what is left out is the beginning in which the draws on the way are ahead of the
    others by the most.  It is at most half of the window, and nothing of one that is short.

    Args:
      pairs: positions and gradients of one chain in their order, shape (n, 2, d).
    """
    half, dim = len(pairs) // 2, pairs.shape[2]
    if half < _FEWEST:
        return pairs
    positions, gradients = pairs[:half, 0], pairs[:half, 1]
    with np.errstate(all="ignore"):  # what overflows is as far out as can be
        mean = np.add.reduce(pairs[half:, 0]) / (len(pairs) - half)
        away = np.add.reduce(gradients * (mean - positions), axis=1)
        on_the_way = ~(away <= dim + _FAR_OUT * math.sqrt(2.0 * dim))
    ahead = np.cumsum(np.where(on_the_way, 1, -1))
    most = int(ahead.argmax())
    return pairs[most + 1 if ahead[most] > 0 else 0 :]
