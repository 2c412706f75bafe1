"""Say where each named value lies in a flat vector."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import numpy as np

from exmc_actors.model import Shape


class Place(NamedTuple):
    """A stretch of a flat vector that holds one named value, row by row."""

    name: str
    shape: Shape
    offset: int
    size: int


@dataclass(frozen=True)
class Layout:
    """Named values, one after another."""

    places: tuple[Place, ...]

    @classmethod
    def of(cls, shapes: Iterable[tuple[str, Shape]]) -> "Layout":
        """Return the layout of values in the given order."""
        places: list[Place] = []
        offset = 0
        for name, shape in shapes:
            places.append(Place(name, tuple(shape), offset, prod(shape)))
            offset += places[-1].size
        return cls(tuple(places))

    @property
    def size(self) -> int:
        """The length of the flat vector."""
        return sum(place.size for place in self.places)

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in order."""
        return tuple(place.name for place in self.places)

    def unflatten(self, flat: np.ndarray) -> dict[str, np.ndarray]:
        """Return views of the values by name; axes before the last are kept in front."""
        return {
            name: flat[..., offset : offset + size].reshape((*flat.shape[:-1], *shape))
            for name, shape, offset, size in self.places
        }

    def place_at(self, position: int) -> tuple[Place, tuple[int, ...]]:
        """Return which value holds a position of the flat vector, and at which index."""
        place = next(place for place in self.places if position < place.offset + place.size)
        return place, tuple(int(i) for i in np.unravel_index(position - place.offset, place.shape))
