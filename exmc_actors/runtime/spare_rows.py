"""Keep the buffers that blocks are written into for the next blocks; it knows nothing of what is in them."""

import threading
from typing import Any

KEPT_ROWS = 4
"""Buffers that a process keeps: bringing in new memory takes milliseconds."""


class SpareRows:
    """The rows that no call is writing into: a few of them, none large, of the programs that ran last."""

    def __init__(self, largest: int) -> None:
        """Keep none yet; what has more than ``largest`` numbers is never kept."""
        self._largest = largest
        self._rows: list[tuple[object, Any]] = []
        self._lock = threading.Lock()

    def take(self, owner: object) -> Any:
        """Return rows of a program, those used last, or None."""
        with self._lock:
            for place in reversed(range(len(self._rows))):
                if self._rows[place][0] is owner:
                    return self._rows.pop(place)[1]
        return None

    def give(self, owner: object, rows: Any) -> None:
        """Keep rows for the next call, and let go of the oldest ones."""
        if rows.size > self._largest:
            return
        with self._lock:
            self._rows.append((owner, rows))
            del self._rows[:-KEPT_ROWS]
