"""Keep a few draws of each chain, evenly spread over all of it, however long it gets; no I/O, no drawing."""

from dataclasses import dataclass

import numpy as np

POINTS = 64
"""Fewest draws of a long chain that are kept; there are less than twice as many."""


@dataclass(frozen=True)
class Trace:
    """Some draws of one quantity in one chain."""

    chain: int
    index: np.ndarray
    """Of the draws, counted after warmup; shape (point,)."""
    values: np.ndarray
    """Shape (point,)."""


class Traces:
    """Every so manieth draw of each chain: of twice as many draws, every other one of these."""

    def __init__(self, chains: int) -> None:
        """Begin with no draw."""
        self._chains = [_Thinned() for _ in range(chains)]

    def add(self, chain: int, first: int, draws: np.ndarray) -> None:
        """Take in draws of shape (draw, quantity), of which the first one has the index ``first``."""
        while chain >= len(self._chains):  # it was added to the run
            self._chains.append(_Thinned())
        self._chains[chain].add(first + np.arange(len(draws)), draws)

    def of(self, quantity: int) -> tuple[Trace, ...]:
        """Return what is kept of a quantity, chain by chain; chains without draws are left out."""
        return tuple(
            Trace(number, chain.index, chain.values[:, quantity])
            for number, chain in enumerate(self._chains)
            if len(chain.index)
        )


class _Thinned:
    def __init__(self) -> None:
        self.index = np.empty(0, dtype=int)
        self.values = np.empty((0, 0))
        self._stride = 1

    def add(self, index: np.ndarray, draws: np.ndarray) -> None:
        wanted = index % self._stride == 0
        if not wanted.any():
            return
        before = self.values if len(self.values) else draws[:0]
        self.index = np.concatenate((self.index, index[wanted]))
        self.values = np.concatenate((before, draws[wanted]))
        while len(self.index) >= 2 * POINTS:
            self._stride *= 2
            kept = self.index % self._stride == 0
            self.index, self.values = self.index[kept], self.values[kept]
