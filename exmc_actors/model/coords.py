"""Hold the names of axes and the labels along them."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from exmc_actors.errors import ModelError
from exmc_actors.model.names import check_name, unknown
from exmc_actors.model.shapes import Shape

Label: TypeAlias = str | int | float | bool
Coords: TypeAlias = Mapping[str, tuple[Label, ...]]


def check_coords(coords: Mapping[str, Any] | None) -> dict[str, tuple[Label, ...]]:
    """Return coordinates as tuples of plain labels.

    Raises:
      ModelError: if they are not a mapping of names to lists of strings or numbers.
    """
    if coords is None:
        return {}
    if not isinstance(coords, Mapping):
        raise ModelError(
            f"coords must be a dictionary of names to labels, got {coords!r}: write {{'school': [...]}}."
        )
    return {check_name(name): _labels(name, values) for name, values in coords.items()}


def _labels(name: str, values: Any) -> tuple[Label, ...]:
    if isinstance(values, str) or not (isinstance(values, Sequence) or np.ndim(values)):
        raise ModelError(f"coords[{name!r}] must be a list of labels, got {values!r}.")
    labels = [_plain(label) for label in (np.asarray(values) if hasattr(values, "__array__") else values)]
    for label in labels:
        if not isinstance(label, str | int | float | bool):
            raise ModelError(
                f"coords[{name!r}] must hold strings or numbers, got {label!r}: convert them by str()."
            )
        if not fits_a_file(label):  # which would be found out when draws are there to be written
            raise ModelError(
                f"coords[{name!r}] must hold text without null characters or halves of surrogate pairs and "
                f"integers of 64 bits, as files do, got {label!r}: convert such integers by str()."
            )
    return tuple(labels)


def _plain(label: Any) -> Any:
    # Dates and durations in nanoseconds would become integers.
    is_plain = isinstance(label, np.generic) and not isinstance(label, np.datetime64 | np.timedelta64)
    return label.item() if is_plain else label


def fits_a_file(label: Any) -> bool:
    """Say whether a label can be written, as far as its type allows that."""
    if isinstance(label, str):
        return "\0" not in label and not any("\ud800" <= letter <= "\udfff" for letter in label)
    return not isinstance(label, int) or -(2**63) <= label < 2**63


def check_dims(dims: Any, coords: Coords) -> tuple[str, ...] | None:
    """Return ``dims`` as a tuple of known names; None for None.

    Raises:
      ModelError: if a name is not among the coordinates.
    """
    if dims is None:
        return None
    names = (dims,) if isinstance(dims, str) else dims
    if not isinstance(names, tuple | list) or not all(isinstance(name, str) for name in names):
        raise ModelError(f"dims must be a name or a tuple of names, got {dims!r}.")
    for name in names:
        if name not in coords:
            raise ModelError(
                f"{unknown('dim', name, coords)}. "
                f"Give its labels to the builder: Builder(coords={{{name!r}: [...]}})."
            )
    return tuple(names)


def shape_of_dims(dims: tuple[str, ...], coords: Coords) -> Shape:
    """Return the shape that dims and their coordinates say."""
    known = check_dims(dims, coords)
    assert known is not None
    return tuple(len(coords[name]) for name in known)
