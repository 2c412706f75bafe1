"""Look at a column of a block piece by piece, on the event loop's thread; it knows nothing of what it is.

NumPy lets go of Python's lock for whatever has more than 500 numbers, however little time that takes, and
while another thread traces a model gets it back a millisecond later: each time the whole loop waits.
"""

from collections.abc import Iterator

import numpy as np

PIECE = 500
"""Numbers of which NumPy keeps Python's lock."""


def are_finite(column: np.ndarray) -> bool:
    """Whether all numbers of a column are finite."""
    if len(column) <= PIECE:  # most blocks are short, and pieces cost more than the look
        return bool(np.isfinite(column).all())
    return all(np.isfinite(column[piece]).all() for piece in _pieces(column))


def _pieces(column: np.ndarray) -> Iterator[slice]:
    return (slice(first, first + PIECE) for first in range(0, len(column), PIECE))
