"""Lay the variables of a block side by side as scalars, and name these as ``ex.summary`` does."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from exmc_actors.diagnostics.quantities import scalar_names
from exmc_actors.errors import SettingsError

Draws = Mapping[str, np.ndarray]
"""Values by variable, each of shape (draw, *shape of the variable)."""


class Layout:
    """Which scalars there are."""

    def __init__(self, draws: Draws, dims: Mapping[str, Sequence[str]], coords: Mapping[str, Any]) -> None:
        """Take the variables and their shapes from an example."""
        self._shapes = {name: np.shape(values)[1:] for name, values in draws.items()}
        self.names = tuple(
            scalar
            for name, shape in self._shapes.items()
            for scalar in _scalars(name, shape, tuple(dims.get(name, ())), coords)
        )
        self._place_of = {name: place for place, name in enumerate(self.names)}

    def flat(self, draws: Draws) -> np.ndarray:
        """Return the values of all scalars as numbers, of shape (draw, quantity).

        Raises:
          SettingsError: other variables, or other shapes, than those of the example.
        """
        if {name: np.shape(values)[1:] for name, values in draws.items()} != self._shapes:
            raise SettingsError(
                f"these draws have the variables {', '.join(draws)}, and earlier ones had "
                f"{', '.join(self._shapes)}, or other shapes: begin a new Online for each run."
            )
        columns = [values.reshape(len(values), -1) for values in draws.values()]
        flat: np.ndarray = np.concatenate(columns, axis=1, dtype=float)
        return flat

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


def _scalars(name: str, shape: tuple[int, ...], dims: Sequence[str], coords: Mapping[str, Any]) -> list[str]:
    axes = [*dims[: len(shape)], *(f"{name}_dim_{axis}" for axis in range(len(dims), len(shape)))]
    labels = [_labels(coords.get(axis), size) for axis, size in zip(axes, shape, strict=True)]
    return scalar_names(name, labels, shape, np.arange(prod(shape)))


def _labels(given: Any, size: int) -> np.ndarray:
    """Return the labels of an axis; labels of another length belong to other data."""
    fits = given is not None and len(given) == size
    return np.asarray(given) if fits else np.arange(size)
