"""Keep a few draws of each chain, evenly spread over all of it, however long it gets; no I/O, no drawing."""

from dataclasses import dataclass

import numpy as np

from exmc_actors.views.thinned import Thinned

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

    def __init__(self) -> None:
        """Begin with no draw."""
        self._chains: dict[int, Thinned] = {}

    def add(self, chain: int, first: int, draws: np.ndarray) -> None:
        """Take in draws of shape (draw, quantity), of which the first one has the index ``first``."""
        if chain not in self._chains:
            self._chains[chain] = Thinned(draws.shape[1], 2 * POINTS)
        self._chains[chain].add(first, draws)

    def of(self, quantity: int) -> tuple[Trace, ...]:
        """Return what is kept of a quantity, chain by chain; chains without draws are left out."""
        kept = {chain: thinned.after(0) for chain, thinned in sorted(self._chains.items())}
        # Copies: what is thinned goes on to be.
        return tuple(
            Trace(chain, index.copy(), rows[:, quantity].copy()) for chain, (index, rows) in kept.items()
        )
