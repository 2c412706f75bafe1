"""Keep a bounded number of rows out of a sequence of any length: every so many, evenly over all of it.

Rows are numbered from 0 on.  Those whose number divides by the stride are kept; when there is no room, the
stride doubles and every other row goes.  So what is kept depends on the numbers alone, and whoever was sent
the rows up to some number can thin his copy likewise and go on from there.
"""

import numpy as np


class Thinned:
    """Evenly spread rows of a sequence."""

    def __init__(self, width: int, capacity: int) -> None:
        """Begin with nothing.

        Args:
          width: numbers in a row.
          capacity: the most rows that are kept, at least 2.
        """
        self.stride = 1
        self.end = 0
        """The number that follows the last row seen."""
        self._capacity = capacity
        self._length = 0
        self._numbers = np.empty(capacity, dtype=np.int64)
        self._rows = np.empty((capacity, width))

    def empty(self) -> "Thinned":
        """Return as much room for another sequence."""
        return Thinned(self._rows.shape[1], self._capacity)

    def add(self, first: int, rows: np.ndarray) -> None:
        """Take in rows; numbers may be left out, and what was seen before changes nothing.

        Args:
          first: the number of the first row.
          rows: shape (n, width).
        """
        at, end = max(first, self.end), first + len(rows)
        while at < end:
            picks = np.arange(at + -at % self.stride, end, self.stride)
            picks = picks[: self._capacity - self._length]
            behind = self._length + len(picks)
            self._numbers[self._length : behind] = picks
            self._rows[self._length : behind] = rows[picks - first]
            self._length = behind
            at = end if behind < self._capacity else int(picks[-1]) + 1 if len(picks) else at
            if behind == self._capacity:
                self._halve()
        self.end = max(self.end, end)

    def after(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers, shape (n,), and the rows, shape (n, width), from ``number`` on."""
        first = int(np.searchsorted(self._numbers[: self._length], number))
        return self._numbers[first : self._length], self._rows[first : self._length]

    def _halve(self) -> None:
        self.stride *= 2
        kept = self._numbers[: self._length] % self.stride == 0
        length = int(kept.sum())
        self._numbers[:length] = self._numbers[: self._length][kept]
        self._rows[:length] = self._rows[: self._length][kept]
        self._length = length
