"""Take out of known columns, group by group, what a few columns explain within each group.

Arrays only: which columns they are is the caller's affair.
"""

from typing import NamedTuple

import numpy as np

_NEGLIGIBLE = 1e-13
"""A column whose part beyond the columns before it is smaller, relative to itself, is among their sums."""


class Projection(NamedTuple):
    """``columns = Q explained + rest`` and ``explaining = Q triangles``, Q orthonormal within each group."""

    triangles: np.ndarray
    """For each group an upper triangular matrix: (groups, q, q)."""
    explained: np.ndarray
    """For each group and column: (groups, q, columns)."""
    rest: np.ndarray
    """Orthogonal to the explaining columns within each group: (rows, columns)."""


def project(positions: np.ndarray, size: int, explaining: np.ndarray, columns: np.ndarray) -> Projection:
    """Return the columns split into what the explaining columns, (rows, q), give within a group and the rest.

    For every vector u with an entry for each group and explaining column, and every combination b of the
    columns, ``|columns b - explaining u|^2`` is the sum over groups of ``|explained b - triangles u|^2``
    plus ``|rest b|^2``.  Gram-Schmidt's process, each step made twice, which leaves the parts orthogonal
    to rounding; the squares of the sums that would cancel are never formed.

    References:
      Giraud, Langou & Rozloznik (2005), *The loss of orthogonality in the Gram-Schmidt process*.
    """
    count = explaining.shape[1]
    triangles = np.zeros((size, count, count))
    explained = np.zeros((size, count, columns.shape[1]))
    rest, units = columns.copy(), np.zeros_like(explaining)
    for k in range(count):
        column = explaining[:, k : k + 1].copy()
        whole = _norms(positions, size, column)
        for before in range(k):
            triangles[:, before, k] = _take_out(positions, size, units[:, before], column)[:, 0]
        length = _norms(positions, size, column)
        length = np.where(length > _NEGLIGIBLE * whole, length, 0.0)
        units[:, k] = (
            column[:, 0] * np.where(length > 0.0, 1.0 / np.where(length > 0.0, length, 1.0), 0.0)[positions]
        )
        triangles[:, k, k] = length
        explained[:, k] = _take_out(positions, size, units[:, k], rest)
    return Projection(triangles, explained, rest)


def _take_out(positions: np.ndarray, size: int, unit: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Subtract from each column, in place, its part along ``unit``; return how much, for each group."""
    total = np.zeros((size, columns.shape[1]))
    for _ in range(2):
        for k in range(columns.shape[1]):
            amount = np.bincount(positions, unit * columns[:, k], minlength=size)
            columns[:, k] -= amount[positions] * unit
            total[:, k] += amount
    return total


def _norms(positions: np.ndarray, size: int, column: np.ndarray) -> np.ndarray:
    # In a power of two of their own size, the squares are in range.
    _, exponent = np.frexp(np.max(np.abs(column), initial=0.0))
    scaled = np.ldexp(column[:, 0], -exponent)
    return np.ldexp(np.sqrt(np.bincount(positions, scaled**2, minlength=size)), exponent)
