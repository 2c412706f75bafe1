"""Put off Python's searches of the whole process for unreachable cycles while much is made that stays."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_NEVER = 1 << 30
"""So many searches of what is a little older come before one of everything."""


class _Postponement:
    """How many threads put the searches off, and what the process had before the first of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads = 0
        self._before = (0, 0, 0)

    def begin(self) -> None:
        with self._lock:
            if self._threads == 0:
                self._before = gc.get_threshold()
                gc.set_threshold(*self._before[:2], _NEVER)
            self._threads += 1

    def end(self) -> None:
        with self._lock:
            self._threads -= 1
            if self._threads == 0 and gc.get_threshold() == (*self._before[:2], _NEVER):
                gc.set_threshold(*self._before)  # else the host has set others meanwhile


_postponement = _Postponement()


@contextmanager
def collected_later() -> Iterator[None]:
    """Let Python look through all objects of the process afterwards; what is young is collected as ever.

    Python (up to 3.13) does so each time that they have become a quarter more, as by imports and by tracing:
    a tenth of a second where little more than JAX is loaded, longer in a large host.  The threshold is the
    process's: for all threads, and for a process that is forked meanwhile, where it stays.
    """
    _postponement.begin()
    try:
        yield
    finally:
        _postponement.end()
