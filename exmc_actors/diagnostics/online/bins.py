"""Keep the moments of a chain in at most so many bins of equal size, which doubles when they are full.

A bin is a stretch of consecutive draws.  Halves of a chain, means of batches and a running mean are all had
from bins, and their number does not grow with the chain.
"""

import numpy as np

from exmc_actors.diagnostics.online.moments import Moments, merged, moments

TILE = 256
"""Draws that are taken in at once, so that no estimate depends on how a chain was cut into blocks."""
MOST_BINS = 256
"""No more than the draws of a tile, or as many: then tiles and bins end together."""


class Bins:
    """The bins of one chain."""

    def __init__(self, quantities: int) -> None:
        """Begin with bins of one draw."""
        self.size = 1
        """Draws of a bin."""
        self._filled = 0
        self._means = np.empty((quantities, MOST_BINS))
        self._squares = np.empty((quantities, MOST_BINS))
        self._open: Moments | None = None

    def add(self, draws: np.ndarray) -> None:
        """Take in a tile; only the last one may be shorter.

        Args:
            draws: shape (quantity, draw).
        """
        whole = draws.shape[1] // self.size * self.size
        if whole:
            self._put(moments(draws[:, :whole].reshape(len(draws), whole // self.size, self.size)))
        if whole < draws.shape[1]:
            part = moments(draws[:, whole:])
            self._open = part if self._open is None else merged(self._open, part)
            if self._open.draws == self.size:
                full, self._open = self._open, None
                self._put(Moments(full.draws, full.mean[:, np.newaxis], full.square[:, np.newaxis]))

    def copy(self, which: slice = slice(None)) -> "Bins":
        """Return bins of some quantities that share nothing with these."""
        there = slice(self._filled)
        copied = Bins(len(self._means[which]))
        copied.size, copied._filled = self.size, self._filled
        copied._means[:, there] = self._means[which, there]
        copied._squares[:, there] = self._squares[which, there]
        if self._open is not None:
            copied._open = Moments(self._open.draws, self._open.mean[which], self._open.square[which])
        return copied

    def full(self) -> np.ndarray:
        """Return the means of the bins that are full, of shape (quantity, bin); a view."""
        return self._means[:, : self._filled]

    def parts(self) -> Moments:
        """Return the moments of all bins in order; the last one may have fewer draws."""
        counts = np.full(self._filled, self.size)
        means, squares = self._means[:, : self._filled], self._squares[:, : self._filled]
        if self._open is None:
            return Moments(counts, means, squares)
        return Moments(
            np.append(counts, self._open.draws),
            np.concatenate((means, self._open.mean[:, np.newaxis]), axis=1),
            np.concatenate((squares, self._open.square[:, np.newaxis]), axis=1),
        )

    def _put(self, bins: Moments) -> None:
        there = slice(self._filled, self._filled + bins.mean.shape[1])
        self._means[:, there], self._squares[:, there] = bins.mean, bins.square
        self._filled = there.stop
        if self._filled == MOST_BINS:
            self._double()

    def _double(self) -> None:
        """Put neighbours together, which makes room for as many bins again."""
        even, odd = (Moments(self.size, self._means[:, i::2], self._squares[:, i::2]) for i in (0, 1))
        pairs = merged(even, odd)
        self.size, self._filled = 2 * self.size, MOST_BINS // 2
        self._means[:, : self._filled], self._squares[:, : self._filled] = pairs.mean, pairs.square
