"""Trace models beside the host's threads: by turns, and with Python's lock let go of often.

Tracing is Python, a few tenths of a second of it for each function that is compiled.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from exmc_actors.garbage import collected_later

_TURN_WAITS = 5.0
"""Seconds that a thread waits for another one's tracing, before it traces beside it."""
_SWITCH_INTERVAL = 1e-3
"""Seconds for which tracing keeps Python's lock when others wait for it."""


class _Turns:
    """Who traces, and the switch interval that the process has otherwise."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        """Held by the thread that traces, once more where what it traces is traced in it."""
        self._hosts: float | None = None
        self._within = 0.0

    def shorten(self) -> bool:
        """Let other threads of the process have Python's lock every millisecond, not every five.

        Returns:
          Whether that was for the caller to do, who then is to ``restore``.
        """
        before = sys.getswitchinterval()
        if before <= _SWITCH_INTERVAL:
            return False
        sys.setswitchinterval(_SWITCH_INTERVAL)
        self._hosts, self._within = before, sys.getswitchinterval()
        return True

    def restore(self) -> None:
        """Give the process the switch interval that it had, unless the host has set another meanwhile."""
        if self._hosts is not None and sys.getswitchinterval() == self._within:
            sys.setswitchinterval(self._hosts + 5e-7)  # cut to microseconds: it would be one less each time
        self._hosts = None

    def begin_anew(self) -> None:
        """Forget the threads that a process which was forked does not have."""
        self.lock = threading.RLock()
        self.restore()


_turns = _Turns()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_turns.begin_anew)


def lower(function: Any, *example: Any) -> Any:
    """Trace a function that ``jax.jit`` returned and lower it, by turns with other threads of the process.

    Tracing holds Python's lock, but for every switch interval, at whose end all threads compete for it.  Of
    two that trace, neither is done sooner than by turns, while the host's event loop waits for both.  Nobody
    waits for long: what is traced is the user's, and may itself wait for a run that is to be compiled.
    """
    with _turn(), collected_later():
        return function.lower(*example)


@contextmanager
def _turn() -> Iterator[None]:
    lock = _turns.lock
    has_turn = lock.acquire(timeout=_TURN_WAITS)
    is_shorter = _turns.shorten()
    try:
        yield
    finally:
        if is_shorter:
            _turns.restore()
        if has_turn:
            lock.release()
