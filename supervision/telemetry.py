"""Tell whoever wants to know what happens: named events with measurements and metadata, handled inline.

The handlers belong to the Python process, as loggers do. An event costs next to nothing while nobody
listens; a handler that raises is detached and reported, and never disturbs what it watched.
"""

import logging
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import Any, Final, final

import trio

from supervision.attempts import log
from supervision.child import is_async
from supervision.errors import SpecError

EventName = tuple[str, ...]
"""Such as ``("supervision", "process", "end")``: the general first."""

Handler = Callable[[EventName, Mapping[str, Any], Mapping[str, Any]], object]
"""Is given the event's name, its measurements (numbers) and its metadata (anything else)."""

HANDLER_DETACHED: Final = ("supervision", "telemetry", "detached")
"""A handler raised and hears nothing any more; metadata: ``handler_id``, ``event``, ``error``."""

MOST_NAMES: Final = 1000
"""Names of events for which it is remembered who listens."""

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Attached:
    handler_id: Hashable
    prefix: EventName
    handler: Handler


class _Table:
    """Who listens. Replaced as a whole: another thread sees the old one or the new one."""

    __slots__ = ("_matches", "entries")

    def __init__(self, entries: tuple[_Attached, ...]) -> None:
        self.entries = entries
        self._matches: dict[EventName, tuple[_Attached, ...]] = {}

    def matching(self, event: EventName) -> tuple[_Attached, ...]:
        found = self._matches.get(event)
        if found is None:
            found = tuple(entry for entry in self.entries if event[: len(entry.prefix)] == entry.prefix)
            if len(self._matches) >= MOST_NAMES:  # some names are made up, and never come again
                self._matches.clear()
            self._matches[event] = found
        return found


_table = _Table(())


class _Called(threading.local):
    """The handlers that a thread is in, the innermost last."""

    entries: tuple[_Attached, ...] = ()


_called = _Called()


def attach(handler_id: Hashable, event_prefix: EventName, handler: Handler) -> None:
    """Call ``handler(event, measurements, metadata)`` at every event whose name begins with the prefix.

    It is called where the event happens, and whatever happens there waits for it: note and return. What
    takes longer belongs into a process of its own, which the handler sends a cast; for an event in a worker
    thread, by ``trio.from_thread.run_sync(ref.cast, message)``. Of what the handler does itself it hears
    nothing: a cast to nobody, say, is a dead letter.

    Args:
      handler_id: for ``detach``; unique.
      event_prefix: ``()`` means all events.
      handler: an ordinary function. If it raises, it is detached.

    Raises:
      SpecError: when the id is taken, or the handler is async.
    """
    if not isinstance(event_prefix, tuple):
        raise SpecError(
            f"An event prefix is a tuple of words such as ('supervision',), got {event_prefix!r}."
        )
    if is_async(handler):
        raise SpecError(
            f"The telemetry handler {handler_id!r} is async, but handlers are called inline. "
            "Give a plain function; let it cast to a server if there is something to wait for."
        )
    if handler_id in attached():
        raise SpecError(f"A telemetry handler {handler_id!r} is attached already; detach it first.")
    _replace((*_table.entries, _Attached(handler_id, event_prefix, handler)))


def detach(handler_id: Hashable) -> bool:
    """Stop calling a handler; return whether there was one."""
    is_known = handler_id in attached()
    _replace(tuple(entry for entry in _table.entries if entry.handler_id != handler_id))
    return is_known


def attached() -> tuple[Hashable, ...]:
    """Return the ids of all handlers, in the order in which they are called."""
    return tuple(entry.handler_id for entry in _table.entries)


def is_heard() -> bool:
    """Return whether anybody listens to anything: for skipping what is costly to measure."""
    return bool(_table.entries)


def execute(
    event: EventName,
    measurements: Mapping[str, Any] = _NOTHING,
    metadata: Mapping[str, Any] = _NOTHING,
) -> None:
    """Say that ``event`` has happened: call every handler that listens to it, one after another."""
    if _table.entries:
        for entry in _table.matching(event):
            _call(entry, event, measurements, metadata)


@final
class span(AbstractContextManager[None]):
    """Frame a piece of work with the events ``(*prefix, "start")`` and ``"stop"`` or ``"exception"``.

    The last two measure its ``duration`` in seconds, on trio's clock where there is one. ``"exception"``
    has the ``error`` in its metadata, a cancellation too, and the error goes on its way.
    """

    def __init__(self, event_prefix: EventName, metadata: Mapping[str, Any] = _NOTHING) -> None:
        """Prepare the frame.

        Args:
          event_prefix: the name without its last word.
          metadata: goes with all events.
        """
        self._prefix = event_prefix
        self._metadata = metadata
        self._start = 0.0

    def __enter__(self) -> None:
        self._start = _now()
        execute((*self._prefix, "start"), {"time": self._start}, self._metadata)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        measured = {"duration": _now() - self._start}
        if error is None:
            execute((*self._prefix, "stop"), measured, self._metadata)
        else:
            execute((*self._prefix, "exception"), measured, {**self._metadata, "error": error})


def _call(
    entry: _Attached, event: EventName, measurements: Mapping[str, Any], metadata: Mapping[str, Any]
) -> None:
    if any(entry is other for other in _called.entries):
        return
    before = _called.entries
    _called.entries = (*before, entry)
    try:
        entry.handler(event, measurements, metadata)
    except Exception as error:  # noqa: BLE001 - told, and goes no further
        detach(entry.handler_id)
        log(logging.ERROR, "telemetry handler %r raised and is detached", entry.handler_id, error=error)
        execute(HANDLER_DETACHED, metadata={"handler_id": entry.handler_id, "event": event, "error": error})
    finally:
        _called.entries = before


def _replace(entries: tuple[_Attached, ...]) -> None:
    global _table  # one for the Python process, as logging has
    _table = _Table(entries)


def _now() -> float:
    return trio.current_time() if trio.lowlevel.in_trio_run() else time.perf_counter()
