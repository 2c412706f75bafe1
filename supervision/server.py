"""Serve messages one at a time: the contract that users fill in, and the loop that keeps it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, final

import trio

from supervision.child import Behaviour
from supervision.exits import ExitReason, Normal
from supervision.messages import Call, Cast, Down, Monitor, Reply, Stop
from supervision.process import Process
from supervision.program import Program
from supervision.reference import ProcessRef, Ref


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

    _supervision: "ServerProgram"

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
        """Act on what the library says, such as ``Down``; dropped unless overridden."""

    async def handle_continue(self, value: Any) -> None:
        """Go on after ``init`` returned ``Continue(value)``, before the first message."""

    async def terminate(self, reason: ExitReason) -> None:
        """Clean up when the server ends in any way but a kill; ``start_soon`` tasks have ended by then."""

    # To be used.

    @property
    def ref(self) -> ProcessRef:
        """The address of this incarnation."""
        return self._supervision.process.ref

    @property
    def caller(self) -> ProcessRef | None:
        """The process that sent the message being handled; None if none did."""
        return self._supervision.caller

    def stop(self, reason: ExitReason = Normal()) -> None:  # noqa: B008 - an immutable value
        """End after the current message; the first reason counts."""
        self._supervision.stop(reason)

    def defer(self) -> Reply:
        """Take over the duty to answer the call being handled, by ``reply.send(value)`` later."""
        return self._supervision.defer()

    def monitor(self, ref: Ref) -> Monitor:
        """Watch a process: exactly one ``Down`` will come to ``handle_info``, at once if there is none."""
        return self._supervision.process.contacts.watch(ref)

    def demonitor(self, monitor: Monitor) -> None:
        """Stop watching: no ``Down`` of this monitor will be handled from now on."""
        self._supervision.process.contacts.unwatch(monitor)

    def start_soon(
        self, function: Callable[..., Awaitable[object]], *args: Any, name: str | None = None
    ) -> None:
        """Run a background task that belongs to this server.

        Its crash crashes the server, and the server's end cancels it. A worker thread that it waits for
        is waited for, too.
        """
        self._supervision.start_soon(function, *args, name=name)


@final
class ServerProgram(Program):
    """The message loop around one server object."""

    receives = True

    def __init__(
        self, make: Callable[[], Server], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> None:
        """Prepare a loop around ``make()``, whose ``init`` gets the arguments."""
        self.process: Process
        self.caller: ProcessRef | None = None
        self._make = make
        self._args = args
        self._kwargs = dict(kwargs or {})
        self._server: Server
        self._background: trio.Nursery
        self._stopping: ExitReason | None = None
        self._call: Call | None = None
        self._is_deferred = False

    async def run(self, process: Process) -> ExitReason:
        """Serve until told to stop; then end the background tasks."""
        self.process = process
        async with trio.open_nursery() as self._background:
            reason = await process.guard(self._serve)
            self._background.cancel_scope.cancel(reason="the server ends")
        return reason or Normal()

    async def terminate(self, reason: ExitReason) -> None:
        """Let the server clean up."""
        await self._server.terminate(reason)

    def stop(self, reason: ExitReason) -> None:
        """End after the current message; the first reason counts."""
        self._stopping = self._stopping or reason

    def defer(self) -> Reply:
        """Hand out the reply of the call being handled."""
        if self._call is None:
            raise RuntimeError("defer() takes over a reply, so it can only be used while a call is handled.")
        self._is_deferred = True
        return self._call.reply

    def start_soon(self, function: Callable[..., Awaitable[object]], *args: Any, name: str | None) -> None:
        """Run a background task next to the loop."""
        label = f"{self.process.label}: {name or getattr(function, '__name__', function)}"
        self._background.start_soon(self.process.guard_apart, function, *args, name=label)

    async def _serve(self) -> ExitReason:
        self._server = server = self._make()
        server._supervision = self
        outcome = await server.init(*self._args, **self._kwargs)
        if outcome is Ignore:
            self.process.is_ignored = True
            return Normal()
        _check_outcome(server, outcome)
        self.process.acknowledge()
        if isinstance(outcome, Continue):
            await server.handle_continue(outcome.value)
        while self._stopping is None:
            await self._handle(await self.process.mailbox.get())
        return self._stopping

    async def _handle(self, envelope: object) -> None:
        match envelope:
            case Call():
                await self._answer(envelope)
            case Cast(message, caller):
                self._note(message, caller)
                await self._server.handle_cast(message)
            case Stop(reason):
                self.stop(reason)
            case Down(monitor) if monitor.is_cancelled:
                pass
            case message:
                self._note(message, None)
                await self._server.handle_info(message)

    async def _answer(self, call: Call) -> None:
        self._note(call.message, call.caller)
        self._call, self._is_deferred = call, False
        answer = await self._server.handle_call(call.message)
        self._call = None
        if (answer is NO_REPLY) is not self._is_deferred:
            when = "after" if self._is_deferred else "without"
            raise RuntimeError(
                f"handle_call({call.message!r}) returned {answer!r} {when} self.defer(). "
                "Return NO_REPLY if, and only if, the reply has been deferred."
            )
        if not self._is_deferred:
            call.reply.send(answer)

    def _note(self, message: Any, caller: ProcessRef | None) -> None:
        self.caller = caller
        self.process.handled += 1
        self.process.last_message = type(message).__name__


def _check_outcome(server: Server, outcome: object) -> None:
    if outcome is not None and not isinstance(outcome, Continue):
        raise TypeError(
            f"{type(server).__name__}.init returned {outcome!r}. "
            "It may return None, Continue(value) or Ignore; keep state in attributes of self."
        )
