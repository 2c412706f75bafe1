"""Count the divergent transitions of each chain, and remember where the last few of them ended."""

from collections import deque
from dataclasses import dataclass

import numpy as np

REMEMBERED = 100
"""Of all chains together."""


@dataclass(frozen=True, slots=True)
class Divergence:
    """A draw whose transition diverged."""

    chain: int
    draw: int
    """Its index after warmup."""
    values: np.ndarray
    """Of all quantities: where the chain stood after it."""


class Divergences:
    """The divergences of all chains."""

    def __init__(self, chains: int) -> None:
        """Begin with none."""
        self.counts = np.zeros(chains, dtype=int)
        self.last: deque[Divergence] = deque(maxlen=REMEMBERED)

    def make_room(self, chains: int) -> None:
        """Begin with so many chains more."""
        self.counts = np.append(self.counts, np.zeros(chains, dtype=int))

    def add(self, chain: int, first: int, diverging: np.ndarray, draws: np.ndarray) -> None:
        """Take in draws of shape (draw, quantity), of which ``diverging`` says which did."""
        found = np.flatnonzero(diverging)
        self.counts[chain] += len(found)
        for at in found[-REMEMBERED:].tolist():
            self.last.append(Divergence(chain, first + at, draws[at].copy()))
