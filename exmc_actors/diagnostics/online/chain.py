"""Gather the draws of one chain into tiles and hand these to its estimators."""

import numpy as np

from exmc_actors.diagnostics.online.bins import TILE, Bins
from exmc_actors.diagnostics.online.energy import Energy
from exmc_actors.diagnostics.online.lags import Lags
from exmc_actors.diagnostics.online.sketch import Sketch


class Chain:
    """What is known of the draws of one chain; what it holds does not grow with them.

    Estimators take whole tiles.  A question is answered by a copy that has the draws since the last one, too.
    """

    def __init__(self, number: int, quantities: int, lags: int) -> None:
        """Begin with no draw."""
        self.draws = 0
        self.origin = np.zeros(quantities)
        """The first draw, from which others are measured: large numbers that differ little keep digits."""
        self.energy = Energy()
        self._bins = Bins(quantities)
        self._lags = Lags(quantities, lags)
        self._sketch = Sketch(number % 2)
        self._tile_before = np.empty((quantities, 0))
        self._waiting = np.empty((TILE, quantities))

    def add(self, draws: np.ndarray) -> None:
        """Take in the next draws, of shape (draw, quantity), at least one."""
        if self.draws == 0:
            self.origin = np.where(np.isfinite(draws[0]), draws[0], 0.0)
        while len(draws):
            there = self.draws % TILE
            taken = draws[: TILE - there]
            self._waiting[there : there + len(taken)] = taken
            self.draws += len(taken)
            draws = draws[len(taken) :]
            if self.draws % TILE == 0:
                self._take(np.ascontiguousarray(self._waiting.T))

    def bins(self, which: slice = slice(None)) -> Bins:
        """Return the bins of all draws, measured from the origin."""
        bins = self._bins.copy(which)
        bins.add(self._since_the_last_tile(which) - self.origin[which, np.newaxis])
        return bins

    def sketch(self, which: slice = slice(None)) -> Sketch:
        """Return the distribution of all draws."""
        sketch = self._sketch.copy(which)
        sketch.add(self._since_the_last_tile(which), is_last=True)
        return sketch

    def autocorrelation(self, which: slice) -> np.ndarray:
        """Return autocorrelations of all draws, of shape (quantity, lag)."""
        lags = self._lags.copy(which)
        lags.add(self._since_the_last_tile(which) - self.origin[which, np.newaxis])
        return lags.autocorrelation()

    def recent(self, which: slice) -> np.ndarray:
        """Return the last draws, of shape (quantity, draw): those of a tile, and those since."""
        return np.concatenate((self._tile_before[which], self._since_the_last_tile(which)), axis=1)

    def _take(self, tile: np.ndarray) -> None:
        self._tile_before = tile
        self._sketch.add(tile)
        centred = tile - self.origin[:, np.newaxis]
        self._bins.add(centred)
        self._lags.add(centred)

    def _since_the_last_tile(self, which: slice) -> np.ndarray:
        return np.ascontiguousarray(self._waiting[: self.draws % TILE, which].T)
