"""Decide what indexing means, from shapes alone: NumPy's rules as a plan that others check or carry out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from exmc_actors.errors import ModelError
from exmc_actors.model.shapes import Shape, broadcast, check_size


@dataclass(frozen=True)
class IndexPlan:
    """First slice every axis, then drop and insert axes, then gather along the listed axes."""

    slices: tuple[tuple[int, int, int], ...]
    """For each axis of the base: start, step and number of entries."""
    sliced: Shape
    """After slicing, with integer-indexed axes dropped and new axes inserted."""
    gathered: tuple[int, ...]
    """The axes of ``sliced`` that arrays of integers index, in order; empty for plain slicing."""
    gathered_shape: Shape
    """What those arrays broadcast to."""
    position: int
    """Where, in the result, the axes of ``gathered_shape`` begin."""

    @property
    def shape(self) -> Shape:
        """The shape of the result."""
        rest = [length for axis, length in enumerate(self.sliced) if axis not in self.gathered]
        return check_size((*rest[: self.position], *self.gathered_shape, *rest[self.position :]))


def plan_index(shape: Shape, parts: Sequence[Any]) -> IndexPlan:
    """Plan ``value[parts]`` for a value of this shape.

    The parts are those of an ``Index`` node, with its shape (a tuple) in place of each array of integers.

    Raises:
      ModelError: if there are more parts than axes, or a position is outside its axis.
    """
    has_arrays = any(isinstance(part, tuple) for part in parts)
    slices: list[tuple[int, int, int]] = []
    sliced: list[int] = []
    gathered: list[int] = []
    for part in _expanded(shape, parts):
        if part is None:
            sliced.append(1)
            continue
        length = shape[len(slices)]
        if isinstance(part, slice):
            start, stop, step = _slice_of(part, length)
            slices.append((start, step, len(range(start, stop, step))))
            sliced.append(slices[-1][2])
        elif isinstance(part, int) and not has_arrays:
            slices.append((_position(part, length), 1, 1))
        else:
            # Beside arrays an integer counts as an array of no dimensions, as in NumPy.
            gathered.append(len(sliced))
            slices.append((0, 1, length))
            sliced.append(length)
    array_shapes = [part for part in parts if isinstance(part, tuple)]
    return IndexPlan(
        slices=tuple(slices),
        sliced=tuple(sliced),
        gathered=tuple(gathered),
        gathered_shape=broadcast(*array_shapes) if array_shapes else (),
        position=gathered[0] if gathered and _stand_together(parts) else 0,
    )


def gathered_parts(parts: Sequence[Any]) -> tuple[Any, ...]:
    """Return the parts that index the gathered axes, in order; empty where no part is an array."""
    chosen = tuple(
        part for part in parts if not (part is None or part is Ellipsis or isinstance(part, slice))
    )
    return () if all(isinstance(part, int) for part in chosen) else chosen


def _stand_together(parts: Sequence[Any]) -> bool:
    """Say whether the positions follow one another; in NumPy even a ``...`` that is empty parts them."""
    at = [i for i, part in enumerate(parts) if isinstance(part, int | tuple)]
    return at[-1] - at[0] == len(at) - 1


def _expanded(shape: Shape, parts: Sequence[Any]) -> list[Any]:
    """Replace ``...`` by full slices, and add those that are left out at the end."""
    ellipses = sum(part is Ellipsis for part in parts)
    named = sum(part is not None and part is not Ellipsis for part in parts)
    if ellipses > 1 or named > len(shape):
        raise ModelError(
            f"an index with {named} position(s) and {ellipses} '...' does not fit a value of shape {shape}."
        )
    full = [slice(None)] * (len(shape) - named)
    if not ellipses:
        return [*parts, *full]
    at = next(i for i, part in enumerate(parts) if part is Ellipsis)
    return [*parts[:at], *full, *parts[at + 1 :]]


def _slice_of(part: slice, length: int) -> tuple[int, int, int]:
    if part.step == 0:
        raise ModelError("the step of a slice cannot be 0.")
    return part.indices(length)


def _position(index: int, length: int) -> int:
    if not -length <= index < length:
        raise ModelError(f"index {index} is outside an axis of {length} entries.")
    return index % length
