"""Know the scalars of a run by name and by number, and lay the draws of a block out accordingly."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

DEFAULT_SHOWN = 3


@dataclass(frozen=True)
class Quantities:
    """The scalars of all variables, in the order of the blocks."""

    names: tuple[str, ...]
    shapes: Mapping[str, tuple[int, ...]]
    """Of each variable."""

    @cached_property
    def number_of(self) -> Mapping[str, int]:
        """Return the number of each name."""
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def first(self) -> tuple[str, ...]:
        """Return the first quantity of each of the first few variables: what is shown unless asked for."""
        sizes = [prod(shape) for shape in self.shapes.values()]
        starts = [sum(sizes[:number]) for number, size in enumerate(sizes) if size]
        return tuple(self.names[start] for start in starts[:DEFAULT_SHOWN])

    def rows(self, draws: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the draws of a block as an array of shape (n, quantities)."""
        columns = [np.reshape(draws[name], (len(draws[name]), -1)) for name in self.shapes]
        rows: np.ndarray = np.concatenate(columns, axis=1, dtype=float)
        return rows
