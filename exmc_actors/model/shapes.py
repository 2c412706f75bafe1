"""Compute shapes by NumPy's rules from shapes alone: nothing is allocated, however large they are."""

from collections.abc import Sequence
from math import prod
from typing import Any, TypeAlias

from exmc_actors.errors import ModelError

Shape: TypeAlias = tuple[int, ...]

_MOST_ENTRIES = 2**31 - 1
"""Positions are 32-bit integers inside the program."""


def broadcast(*shapes: Shape) -> Shape:
    """Return the shape to which all ``shapes`` stretch."""
    result = []
    for axis in range(1, 1 + max(map(len, shapes), default=0)):
        lengths = {shape[-axis] for shape in shapes if len(shape) >= axis} - {1}
        if len(lengths) > 1:
            raise ModelError(
                f"shapes {' and '.join(map(str, shapes))} do not fit together: "
                "seen from the right, lengths must be equal or 1."
            )
        result.append(lengths.pop() if lengths else 1)
    return check_size(tuple(reversed(result)))


def check_size(shape: Shape) -> Shape:
    """Return ``shape``, refusing what cannot be held in memory anyway."""
    if any(length < 0 for length in shape) or prod(shape) > _MOST_ENTRIES:
        raise ModelError(
            f"shape {shape} is not possible: lengths from 0, and at most {_MOST_ENTRIES:,} entries in all."
        )
    return shape


def stretches_to(shape: Shape, target: Shape) -> bool:
    """Say whether broadcasting ``shape`` against ``target`` gives ``target``."""
    if len(shape) > len(target):
        return False
    return all(length in (1, wanted) for length, wanted in zip(shape[::-1], target[::-1], strict=False))


def matmul(left: Shape, right: Shape) -> Shape:
    """Return the shape of ``left @ right``."""
    if not left or not right:
        raise ModelError(f"@ needs vectors or matrices, got shapes {left} and {right}: write * for numbers.")
    rows, columns = (left if len(left) > 1 else (1, *left)), (right if len(right) > 1 else (*right, 1))
    if rows[-1] != columns[-2]:
        raise ModelError(
            f"shapes {left} and {right} do not fit together in @: "
            f"the last length of the first, {rows[-1]}, must equal {columns[-2]}."
        )
    tail = (rows[-2],) * (len(left) > 1) + (columns[-1],) * (len(right) > 1)
    return check_size(broadcast(rows[:-2], columns[:-2]) + tail)


def dot(left: Shape, right: Shape) -> Shape:
    """Return the shape of ``dot``: a product of numbers, vectors or matrices."""
    if not left or not right:
        return left or right
    if len(left) > 2 or len(right) > 2:
        raise ModelError(f"dot takes at most two dimensions, got shapes {left} and {right}: write @ instead.")
    return matmul(left, right)


def drop_last(name: str, shape: Shape, axes: int) -> Shape:
    """Return ``shape`` without its last axes.

    Raises:
      ModelError: naming what has too few.
    """
    if len(shape) < axes:
        kind = {1: "a vector", 2: "a matrix"}.get(axes, f"an array of {axes} dimensions")
        raise ModelError(f"{name} must be {kind} at least, got shape {shape}.")
    return shape[: len(shape) - axes]


def normal_axis(axis: Any, dimensions: int) -> int:
    """Return ``axis`` counted from the left.

    Raises:
      ModelError: if it is not an integer, or there is no such axis.
    """
    if type(axis) is not int:
        raise ModelError(
            f"axis must be an integer, or a tuple of them where several are reduced, got {axis!r}."
        )
    if not -dimensions <= axis < dimensions:
        raise ModelError(f"axis {axis!r} does not exist: the value has {dimensions} dimension(s).")
    return axis % dimensions


def reduced(shape: Shape, axis: Any) -> Shape:
    """Return what is left of ``shape`` after reducing over ``axis``, or over all axes for None."""
    if axis is None:
        return ()
    given = axis if isinstance(axis, tuple) else (axis,)
    axes = {normal_axis(one, len(shape)) for one in given}
    if len(axes) < len(given):
        raise ModelError(f"axis {axis!r} names one axis twice.")
    return tuple(length for i, length in enumerate(shape) if i not in axes)


def concatenated(shapes: Sequence[Shape], axis: Any) -> Shape:
    """Return the shape of arrays joined along an existing axis."""
    first = shapes[0]
    at = normal_axis(axis, len(first))
    if any(
        shape[:at] + shape[at + 1 :] != first[:at] + first[at + 1 :] or len(shape) != len(first)
        for shape in shapes
    ):
        raise ModelError(
            f"shapes {' and '.join(map(str, shapes))} cannot be joined along axis {axis}: "
            "only that length may differ."
        )
    return check_size((*first[:at], sum(shape[at] for shape in shapes), *first[at + 1 :]))


def stacked(shapes: Sequence[Shape], axis: Any) -> Shape:
    """Return the shape of arrays of one shape joined along a new axis."""
    at = normal_axis(axis, len(shapes[0]) + 1)
    if len(set(shapes)) > 1:
        raise ModelError(f"shapes {' and '.join(map(str, shapes))} cannot be stacked: they must be equal.")
    return check_size((*shapes[0][:at], len(shapes), *shapes[0][at:]))


def reduced_of_some(shape: Shape, axis: Any) -> Shape:
    """Return what is left of ``shape`` after picking an entry along ``axis``, which must have one."""
    left = reduced(shape, axis)
    if prod(shape) == 0 and prod(left) > 0:
        raise ModelError(f"shape {shape} has no entries to choose from along axis {axis!r}.")
    return left


def spread(shape: Shape, axis: Any, ddof: Any) -> Shape:
    """Return what is left of ``shape`` after measuring how far its entries along ``axis`` lie apart."""
    left = reduced(shape, axis)
    count = prod(shape) // prod(left) if prod(left) else 1
    if type(ddof) is not int or not 0 <= ddof < count:
        raise ModelError(f"ddof must be a whole number below the {count} entries of each, got {ddof!r}.")
    return left


def transposed(shape: Shape) -> Shape:
    """Return the lengths in reverse order."""
    return shape[::-1]


def outer(left: Shape, right: Shape) -> Shape:
    """Return the shape of all products of two vectors' entries."""
    if len(left) != 1 or len(right) != 1:
        raise ModelError(f"outer takes two vectors, got shapes {left} and {right}: write a[:, None] * b.")
    return check_size(left + right)


def diagonal(shape: Shape) -> Shape:
    """Return the shape of a vector's diagonal matrix, or of a matrix's diagonal."""
    if len(shape) not in (1, 2):
        raise ModelError(f"diag takes a vector or a matrix, got shape {shape}.")
    return check_size(shape * 2) if len(shape) == 1 else (min(shape),)


def square(name: str, shape: Shape) -> Shape:
    """Return the shape of square matrices, as it is.

    Raises:
      ModelError: naming the function that takes them.
    """
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ModelError(f"{name} takes a square matrix, got shape {shape}.")
    return shape


def solved(name: str, matrix: Shape, right: Shape) -> Shape:
    """Return the shape of what a square matrix times gives a vector or a matrix of columns.

    Raises:
      ModelError: naming the function that solves.
    """
    rows = square(name, matrix)[-1]
    if len(matrix) > 2 or len(right) not in (1, 2) or right[0] != rows:
        raise ModelError(
            f"shapes {matrix} and {right} do not fit together in {name}: it takes one matrix, and "
            "a vector or a matrix with as many rows."
        )
    return right
