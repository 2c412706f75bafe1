"""Know the scalars of a run by name and by number."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod

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
