"""Sum up products of draws that are some transitions apart: a chain's autocorrelation, exact up to a lag."""

import numpy as np


class Lags:
    """The sums of one chain."""

    def __init__(self, quantities: int, most: int) -> None:
        """Begin with no draw.

        Args:
            quantities: how many.
            most: the longest lag.
        """
        self._most = most
        self._count = 0
        self._total = np.zeros(quantities)
        self._products = np.zeros((quantities, most + 1))
        self._first = np.zeros((quantities, 0))
        # Before the first draw there are zeros, which add nothing.
        self._last = np.zeros((quantities, most))

    def add(self, draws: np.ndarray) -> None:
        """Take in the next draws, of shape (quantity, draw), measured from somewhere near their mean."""
        size = draws.shape[1]
        joined = np.concatenate((self._last, draws), axis=1)
        earlier = np.lib.stride_tricks.sliding_window_view(joined, size, axis=1)[:, ::-1]
        self._products = self._products + np.vecdot(earlier, draws[:, np.newaxis])
        self._total = self._total + draws.sum(axis=1)
        self._count += size
        self._last = joined[:, size:].copy()
        missing = self._most - self._first.shape[1]
        if missing:
            self._first = np.concatenate((self._first, draws[:, :missing]), axis=1)

    def copy(self, which: slice = slice(None)) -> "Lags":
        """Return the sums of some quantities, to which other draws can be added."""
        copied = Lags(0, self._most)
        copied._count = self._count
        copied._total, copied._products = self._total[which], self._products[which]
        copied._first, copied._last = self._first[which], self._last[which]
        return copied

    def autocorrelation(self) -> np.ndarray:
        """Return the autocorrelations from lag 0 on, of shape (quantity, lag).

        Products are summed over the pairs that there are and divided by the number of all draws.  NaN where
        nothing varies, and at lags that are longer than the chain.
        """
        lags = np.arange(min(self._most + 1, self._count))
        head = _sums(self._first)[:, lags]
        tail = _sums(self._last[:, ::-1])[:, lags]
        total = self._total[:, np.newaxis]
        mean = total / max(self._count, 1)
        covariances = self._products[:, lags] - mean * (2.0 * total - head - tail)
        covariances += (self._count - lags) * mean * mean
        result = np.full(self._products.shape, np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            result[:, lags] = covariances / covariances[:, :1]
        return result


def _sums(values: np.ndarray) -> np.ndarray:
    """Return the sums of the first none, one, two, ... values."""
    return np.concatenate((np.zeros((len(values), 1)), values.cumsum(axis=1)), axis=1)
