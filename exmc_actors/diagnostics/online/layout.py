"""Lay the variables of a block side by side as scalars, and name these as ``ex.summary`` does."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from math import prod
from typing import Any

import numpy as np

from exmc_actors.diagnostics.quantities import axis_labels, scalar_names
from exmc_actors.errors import SettingsError

Draws = Mapping[str, np.ndarray]
"""Values by variable, each of shape (draw, *shape of the variable)."""


class Layout:
    """Which scalars there are."""

    def __init__(self, draws: Draws, dims: Mapping[str, Sequence[str]], coords: Mapping[str, Any]) -> None:
        """Take the variables and their shapes from an example."""
        self._shapes = {name: values.shape[1:] for name, values in draws.items()}
        self._shape_list = list(self._shapes.values())
        self._stretches = tuple(_stretches(self._shape_list))
        self.names = tuple(
            scalar
            for name, shape in self._shapes.items()
            for scalar in scalars(name, shape, tuple(dims.get(name, ())), coords)
        )
        self._place_of = {name: place for place, name in enumerate(self.names)}

    def flat(self, draws: Draws) -> np.ndarray:
        """Return the values of all scalars as numbers, of shape (draw, quantity).

        Raises:
          SettingsError: other variables, or other shapes, than those of the example.
        """
        if list(draws) == list(self._shapes):
            arrays = list(draws.values())
            flat = np.empty((len(arrays[0]) if arrays else 0, len(self.names)))
            if all(self._fill(flat, arrays, *stretch) for stretch in self._stretches):
                return flat
        raise SettingsError(
            f"these draws have the variables {', '.join(draws)}, and earlier ones had "
            f"{', '.join(self._shapes)}, or other shapes: begin a new Online for each run."
        )

    def _fill(self, flat: np.ndarray, arrays: list[np.ndarray], which: slice, columns: slice) -> bool:
        """Lay a stretch of variables into the columns that are theirs; say whether they have their shapes."""
        first = arrays[which.start]
        if which.stop - which.start == 1:
            if first.shape != (len(flat), *self._shape_list[which.start]):
                return False
            flat[:, columns] = first.reshape(len(flat), -1)
            return True
        try:
            rows = np.array(arrays[which], dtype=float)
        except ValueError:  # they differ
            return False
        if rows.shape != (which.stop - which.start, len(flat)):
            return False
        flat[:, columns] = rows.T
        return True

    def place(self, name: str) -> slice:
        """Return where a scalar stands.

        Raises:
          SettingsError: there is none of that name.
        """
        if name not in self._place_of:
            some = ", ".join(self.names[:5]) + (", ..." if len(self.names) > 5 else "")
            raise SettingsError(f"there is no quantity {name!r}: give one of {some}.")
        place = self._place_of[name]
        return slice(place, place + 1)


def _stretches(shapes: Sequence[tuple[int, ...]]) -> Iterator[tuple[slice, slice]]:
    """Yield which variables are laid out at once, and where their scalars stand.

    Scalar variables are taken together: of a thousand, each by itself would cost more than what is done with
    its draws.
    """
    place = column = 0
    for is_scalar, group in groupby(shapes, lambda shape: shape == ()):
        sizes = [prod(shape) for shape in group]
        for count, size in [(len(sizes), len(sizes))] if is_scalar else [(1, size) for size in sizes]:
            yield slice(place, place + count), slice(column, column + size)
            place, column = place + count, column + size


def scalars(
    name: str,
    shape: tuple[int, ...],
    dims: Sequence[str],
    coords: Mapping[str, Any],
    most: int | None = None,
) -> list[str]:
    """Return the names of a variable's scalars, or of so many of them, the first ones."""
    axes = [*dims[: len(shape)], *(f"{name}_dim_{axis}" for axis in range(len(dims), len(shape)))]
    labels = [_labels(coords.get(axis), size) for axis, size in zip(axes, shape, strict=True)]
    return scalar_names(name, labels, shape, np.arange(prod(shape))[:most])


def _labels(given: Any, size: int) -> Sequence[Any]:
    """Return the labels of an axis; labels of another length belong to other data."""
    fits = given is not None and len(given) == size
    return axis_labels(np.asarray(given)) if fits else range(size)
