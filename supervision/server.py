"""Say what a server is: handlers to be filled in, and what they may use. The loop is elsewhere."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from inspect import isfunction
from reprlib import Repr
from typing import TYPE_CHECKING, Any, Final

import trio

from supervision.child import Behaviour, is_async
from supervision.errors import SpecError
from supervision.exits import ExitReason, Normal
from supervision.messages import Monitor, Reply
from supervision.reference import ProcessRef, Ref
from supervision.timer import Timer

if TYPE_CHECKING:
    from supervision.server_loop import ServerLoop

_SHORT: Final = Repr()
_SHORT.maxstring = _SHORT.maxother = 120


class _Sentinel(Enum):
    IGNORE = "Ignore"
    NO_REPLY = "NO_REPLY"

    def __repr__(self) -> str:
        return self.value


Ignore: Final = _Sentinel.IGNORE
"""Returned by ``init``: there is nothing to do here; the supervisor goes on without this child."""

NO_REPLY: Final = _Sentinel.NO_REPLY
"""Returned by ``handle_call`` after ``self.defer()``: the reply comes later."""


@dataclass(frozen=True, slots=True)
class Continue:
    """Returned by ``init``: acknowledge the start, then run ``handle_continue(value)`` before any message."""

    value: Any = None


class Server(Behaviour):
    """An actor: state of its own, and handlers that are never run two at a time.

    Fill in the handlers you need. What a handler raises ends the server; its supervisor decides what
    follows. A handler that waits holds up the messages behind it: long work goes to ``start_soon``.
    """

    trap_exit: bool = False
    """Whether exit signals come to ``handle_info`` as ``Exit``; not a kill, nor the supervisor's orders."""
    idle_timeout: float | None = None
    """Seconds without a message after which ``handle_info(IdleTimeout())`` is called, each time anew."""

    _loop: "ServerLoop"

    def __init_subclass__(cls, **options: Any) -> None:
        """Refuse a handler that is not async, which would fail at its first message only."""
        super().__init_subclass__(**options)
        for name, method in vars(cls).items():
            is_handler = name in ("init", "terminate") or name.startswith("handle_")
            # A wrapper may give a coroutine without being one.
            is_sync = isfunction(method) and not is_async(method) and not hasattr(method, "__wrapped__")
            if is_handler and is_sync and is_async(getattr(super(cls, cls), name, None)):
                raise SpecError(f"{cls.__name__}.{name} must be written with 'async def'.")

    # To be filled in.

    async def init(self, *args: Any, **kwargs: Any) -> Any:
        """Set up the state; until it returns, whoever starts the server waits.

        Raising makes the start fail.

        Returns:
          None, ``Continue(value)``, or ``Ignore``.
        """

    async def handle_call(self, message: Any) -> Any:
        """Return the reply to ``message``; or ``NO_REPLY`` after ``self.defer()``."""
        raise NotImplementedError(
            f"{type(self).__name__} was called with {message!r}, but defines no handle_call(self, message)."
        )

    async def handle_cast(self, message: Any) -> None:
        """Act on ``message``; nobody waits for it."""
        raise NotImplementedError(
            f"{type(self).__name__} was sent {message!r} by cast, but defines no handle_cast(self, message)."
        )

    async def handle_info(self, message: Any) -> None:
        """Act on what is neither called nor cast: ``Down``, ``Exit``, ``IdleTimeout``, what a timer brings.

        Dropped unless overridden.
        """

    async def handle_continue(self, value: Any) -> None:
        """Go on after ``Continue(value)`` or ``continue_with(value)``, before any message."""

    async def terminate(self, reason: ExitReason) -> None:
        """Clean up when the server ends in any way but a kill; ``start_soon`` tasks have ended by then."""

    def format_state(self) -> str:
        """Return what a crash report shows of the state; override it to keep secrets out of logs."""
        return _SHORT.repr({name: value for name, value in vars(self).items() if name != "_loop"})

    def format_message(self, message: Any) -> str:
        """Return what a crash report shows of the last message; override it to keep secrets out of logs."""
        return _SHORT.repr(message)

    # To be used.

    @property
    def ref(self) -> ProcessRef:
        """The address of this incarnation."""
        return self._loop.process.ref

    @property
    def caller(self) -> ProcessRef | None:
        """The process that sent the message being handled; None if none did."""
        return self._loop.caller

    def stop(self, reason: ExitReason = Normal()) -> None:  # noqa: B008 - an immutable value
        """End after the current message; the first reason counts."""
        self._loop.stop(reason)

    def defer(self) -> Reply:
        """Take over the duty to answer the call being handled, by ``reply.send(value)`` later."""
        return self._loop.defer()

    def continue_with(self, value: Any = None) -> None:
        """Have ``handle_continue(value)`` run after the current handler, before any message."""
        self._loop.continue_with(value)

    def stash(self) -> None:
        """Put the message being handled aside, for ``unstash_all``; ``handle_call`` then returns NO_REPLY."""
        self._loop.stash()

    def unstash_all(self) -> None:
        """Have all messages that were put aside handled next, in the order in which they came."""
        self._loop.unstash_all()

    def monitor(self, ref: Ref) -> Monitor:
        """Watch a process: exactly one ``Down`` will come to ``handle_info``, at once if there is none."""
        return self._loop.process.contacts.watch(ref)

    def demonitor(self, monitor: Monitor) -> None:
        """Stop watching: no ``Down`` of this monitor will be handled from now on."""
        self._loop.process.contacts.unwatch(monitor)

    def link(self, ref: Ref) -> None:
        """Share the fate of a process, both ways: an abnormal end, or a shutdown, of one ends the other.

        With ``trap_exit``, an ``Exit`` comes to ``handle_info`` instead. Linking to nobody is a signal, too.
        """
        self._loop.process.contacts.link(ref)

    def unlink(self, ref: Ref) -> None:
        """Undo a link, whoever of the two has made it."""
        self._loop.process.contacts.unlink(ref)

    def send_after(self, seconds: float, message: Any) -> Timer:
        """Have ``message`` come to ``handle_info`` in so many seconds, if the server lives till then."""
        timer = Timer(trio.current_time() + seconds)
        timer.start(self._loop.process, message)
        return timer

    def cancel_timer(self, timer: Timer) -> float | None:
        """Stop a timer; return the seconds that were left, None if its message is under way."""
        return timer.cancel()

    def start_soon(
        self, function: Callable[..., Awaitable[object]], *args: Any, name: str | None = None
    ) -> None:
        """Run a background task that belongs to this server.

        Its crash crashes the server, and the server's end cancels it. A worker thread that it waits for
        is waited for, too.
        """
        self._loop.start_soon(function, *args, name=name)
