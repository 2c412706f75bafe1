"""Leave out of a window the draws by which its chain came to where it stays; what is left, others judge."""

import numpy as np

from exmc_actors.warmup.estimation import Pairs

_FEWEST = 10
"""Draws of the later half of a window that say how large gradients are where the chain stays."""
_FAR_OUT = 6.0
"""Standard deviations, of the mean square of a normal's gradient, beyond which a draw is on the way."""


def settled(pairs: Pairs) -> Pairs:
    """Return a window from the first draw on at which the gradient is as large as in the later half.

    On the way to where the mass is gradients are larger than ever after, ten or a thousand times, and a few
    of them decide a metric that is made of their variances.  At most half of the window is left out, and
    nothing of one that is short.

    Args:
      pairs: positions and gradients of one chain in their order, shape (n, 2, d).
    """
    half = len(pairs) // 2
    if half < _FEWEST:
        return pairs
    with np.errstate(all="ignore"):  # what overflows is as far out as can be
        squares = pairs[:, 1] ** 2
        late = np.add.reduce(squares[half:]) / (len(pairs) - half)
        # A coordinate whose gradient is nothing at last says nothing.
        sizes = np.divide(squares[:half], late, out=np.zeros_like(squares[:half]), where=late > 0.0)
    stays = np.add.reduce(sizes, axis=1) / len(late) <= 1.0 + _FAR_OUT * np.sqrt(2.0 / len(late))
    return pairs[int(stays.argmax()) if stays.any() else half :]
