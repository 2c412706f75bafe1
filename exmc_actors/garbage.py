"""Put off Python's searches of the whole process for unreachable cycles while much is made that stays."""

import gc
import os
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
            self._threads = max(0, self._threads - 1)
            if self._threads == 0:
                self._restore()

    def begin_anew(self) -> None:
        """Forget the threads that a process which was forked does not have."""
        self._lock, self._threads = threading.Lock(), 0
        self._restore()

    def _restore(self) -> None:
        if gc.get_threshold() == (*self._before[:2], _NEVER):  # else the host has set others meanwhile
            gc.set_threshold(*self._before)


_postponement = _Postponement()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_postponement.begin_anew)


@contextmanager
def collected_later() -> Iterator[None]:
    """Let Python look through all objects of the process afterwards; what is young is collected as ever.

    Python (up to 3.13) does so each time that they have become a quarter more, as by imports and by tracing:
    a tenth of a second where little more than JAX is loaded, longer in a large host.  The threshold is the
    process's, for all its threads.
    """
    _postponement.begin()
    try:
        yield
    finally:
        _postponement.end()
