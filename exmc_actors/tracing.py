"""Trace models beside the host's threads: by turns, and with Python's lock let go of often.

Tracing is Python, a few tenths of a second of it for each function that is compiled.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from exmc_actors.garbage import collected_later

_turns = threading.RLock()
"""Held by the thread that traces, once more where what it traces is traced in it."""
_TURN_WAITS = 5.0
"""Seconds that a thread waits for another one's tracing, before it traces beside it."""
_SWITCH_INTERVAL = 1e-3
"""Seconds for which tracing keeps Python's lock when others wait for it."""


def lower(function: Any, *example: Any) -> Any:
    """Trace a function that ``jax.jit`` returned and lower it, by turns with other threads of the process.

    Tracing holds Python's lock, but for every switch interval, at whose end all threads compete for it.  Of
    two that trace, neither is done sooner than by turns, while the host's event loop waits for both.  Nobody
    waits for long: what is traced is the user's, and may itself wait for a run that is to be compiled.
    """
    has_turn = _turns.acquire(timeout=_TURN_WAITS)
    try:
        with _short_switch_interval(), collected_later():
            return function.lower(*example)
    finally:
        if has_turn:
            _turns.release()


@contextmanager
def _short_switch_interval() -> Iterator[None]:
    """Let other threads of the process have Python's lock every millisecond, not every five."""
    before = sys.getswitchinterval()
    if before <= _SWITCH_INTERVAL:
        yield
        return
    sys.setswitchinterval(_SWITCH_INTERVAL)
    within = sys.getswitchinterval()
    try:
        yield
    finally:
        if sys.getswitchinterval() == within:  # else the host has set it meanwhile
            sys.setswitchinterval(before + 5e-7)  # cut to microseconds: it would be one less each time
