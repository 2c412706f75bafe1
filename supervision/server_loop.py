"""Run a server: take its messages in turn, and do between them what concerns the server as a whole."""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, final

import trio
from trio.lowlevel import disable_ki_protection

from supervision import telemetry
from supervision.exits import ExitReason, Normal, check_reason
from supervision.messages import Call, Cast, Down, IdleTimeout, Reply, Stop, System
from supervision.process import Process
from supervision.program import Program
from supervision.reference import LogEntry, ProcessRef
from supervision.server import NO_REPLY, Continue, Ignore, Server


@final
class ServerLoop(Program):
    """The message loop around one server object."""

    serves = True

    def __init__(
        self,
        make: Callable[[], Server],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        spawns: bool = False,
    ) -> None:
        """Prepare a loop around ``make()``, whose ``init`` gets the arguments.

        Args:
          make: gives the server.
          args: for ``init``.
          kwargs: for ``init``.
          spawns: whether the server starts processes of its own.
        """
        self.process: Process
        self.caller: ProcessRef | None = None
        self.spawns = spawns
        self._make = make
        self._args = args
        self._kwargs = kwargs
        self._server: Server | None = None
        self._stopping: ExitReason | None = None
        self._envelope: Any = None
        self._last: Any = None
        """What was handled when the server asked to end."""
        self._call: Call | None = None
        self._is_deferred = False
        self._continues: list[Any] = []
        self._stash: list[Any] = []
        self._is_suspended = False
        self._holders: tuple[object, ...] = ()
        self._is_observed = False
        self._is_traced = False
        self._log: deque[LogEntry] | None = None

    @property
    def is_trapping(self) -> bool:  # type: ignore[override]
        """Whether the server wants exit signals as messages."""
        return self._server is not None and self._server.trap_exit

    # What the process asks for.

    @disable_ki_protection
    async def run(self, process: Process) -> ExitReason:
        """Serve until told to stop."""
        self.process = process
        self._server = server = self._make()
        server._loop = self
        self.cleans_up = type(server).terminate is not Server.terminate
        outcome = await server.init(*self._args, **(self._kwargs or {}))
        if outcome is Ignore:
            process.is_ignored = True
            return Normal()
        _check_outcome(server, outcome)
        if isinstance(outcome, Continue):
            self._continues.insert(0, outcome.value)
        process.acknowledge()
        try:
            await self._continue(server)
            while self._stopping is None:
                if await self._is_next(server):
                    await self._handle_next(server)
                if self._continues:
                    await self._continue(server)
        finally:
            # What was put aside has not been handled: it is a dead letter, as what still waits is.
            self.unstash_all()
        return self._stopping

    @disable_ki_protection
    async def terminate(self, reason: ExitReason) -> None:
        """Let the server clean up."""
        assert self._server is not None
        await self._server.terminate(reason)

    async def account(self) -> str:
        """Say what the server was handling, for whom, and in which state."""
        if self._server is None:
            return ""
        state = f"; its state was {self._server.format_state()}"
        envelope = self._envelope or self._last
        if envelope is None:
            return state
        entry = _entry_of(envelope)
        message = self._server.format_message(entry.message)
        sender = "" if entry.caller is None else f" from {entry.caller}"
        return f"; its last message was the {entry.kind} {message}{sender}{state}"

    def forget(self) -> None:
        """Forget the server, and what it was made from."""
        self._server = self._envelope = self._last = self._call = self.caller = None
        del self._make, self._args, self._kwargs

    # What the server asks for.

    def stop(self, reason: ExitReason) -> None:
        """End after the current message; the first reason counts."""
        check_reason(reason, "stop")
        self.process.mailbox.nudge()
        self._stopping = self._stopping or reason

    def defer(self) -> Reply:
        """Hand out the reply of the call being handled."""
        if self._call is None:
            raise RuntimeError("defer() takes over a reply, so it can only be used while a call is handled.")
        self._is_deferred = True
        return self._call.reply

    def continue_with(self, value: Any) -> None:
        """Let ``handle_continue(value)`` be next, before any message."""
        self.process.mailbox.nudge()
        self._continues.append(value)

    def stash(self) -> None:
        """Put the message being handled aside."""
        if self._envelope is None or (self._stash and self._stash[-1] is self._envelope):
            raise RuntimeError("stash() puts the message being handled aside, once; there is none to put.")
        self._stash.append(self._envelope)
        self._is_deferred = self._call is not None

    def unstash_all(self) -> None:
        """Put what was set aside before all other messages."""
        self.process.mailbox.put_back(self._stash)
        self._stash.clear()

    def start_soon(
        self, function: Callable[..., Awaitable[object]], *args: Any, name: str | None
    ) -> trio.CancelScope:
        """Run a background task next to the loop."""
        label = name or str(getattr(function, "__name__", function))
        return self.process.background.start(function, *args, name=label)

    # What others ask for, between two messages.

    def get_state(self) -> dict[str, Any]:
        """Return a copy of the attributes."""
        return {name: value for name, value in vars(self._server).items() if name != "_loop"}

    def set_state(self, state: dict[str, Any]) -> None:
        """Replace the attributes."""
        vars(self._server).clear()
        vars(self._server).update(state, _loop=self)

    def hold(self, holder: object) -> dict[str, Any]:
        """Handle no message until the holder lets go; return the state."""
        self._holders = (*self._holders, holder)
        return self.get_state()

    def let_go(self, holder: object) -> None:
        """End a ``hold``, if it has begun."""
        self._holders = tuple(other for other in self._holders if other is not holder)

    def suspend(self) -> None:
        """Handle no message until ``resume``."""
        self._is_suspended = True

    def resume(self) -> None:
        """Handle messages again."""
        self._is_suspended = False

    def trace(self, is_on: bool) -> None:
        """Make every message an event, or no more."""
        self._is_traced = is_on
        self._is_observed = is_on or self._log is not None

    def log(self, size: int) -> tuple[LogEntry, ...]:
        """Return what was kept, and keep the last ``size`` messages from now on."""
        entries = tuple(self._log or ())
        self._log = deque(entries, maxlen=size) if size else None
        self._is_observed = self._is_traced or self._log is not None
        return entries

    # The loop.

    async def _is_next(self, server: Server) -> bool:
        """Wait for a message; return whether to take it, or first do what a background task has asked for."""
        mailbox = self.process.mailbox
        if self._is_held:
            is_there = await mailbox.ready_with_urgent()
        # What is there already has come in time, however short that is.
        elif server.idle_timeout is None or len(mailbox):
            is_there = await mailbox.ready()
        else:
            is_there = True
            with trio.move_on_after(server.idle_timeout):
                is_there = await mailbox.ready()
        return is_there and self._stopping is None and (self._is_held or not self._continues)

    async def _handle_next(self, server: Server) -> None:
        mailbox = self.process.mailbox
        await self._handle(server, mailbox.take() if len(mailbox) else IdleTimeout())
        # An idle server holds on to nothing: a Down, say, leads to all that a dead process had.
        self._last = None if self._stopping is None else self._envelope
        self._envelope = self.caller = None

    @property
    def _is_held(self) -> bool:
        return self._is_suspended or bool(self._holders)

    async def _handle(self, server: Server, envelope: Any) -> None:
        kind = type(envelope)
        if kind is Cast:
            self._note(envelope, envelope.caller)
            await server.handle_cast(envelope.message)
        elif kind is Call:
            self._note(envelope, envelope.caller)
            await self._answer(server, envelope)
        elif kind is System:
            envelope.reply.send(envelope.act(self))
        elif kind is Stop:
            self.stop(envelope.reason)
        elif not (kind is Down and envelope.monitor.is_cancelled):
            self._note(envelope, None)
            await server.handle_info(envelope)

    async def _answer(self, server: Server, call: Call) -> None:
        self._call, self._is_deferred = call, False
        answer = await server.handle_call(call.message)
        self._call = None
        if (answer is NO_REPLY) is not self._is_deferred:
            when = "after" if self._is_deferred else "without"
            raise RuntimeError(
                f"handle_call({call.message!r}) returned {answer!r} {when} self.defer() or self.stash(). "
                "Return NO_REPLY if, and only if, the reply has been deferred or the call set aside."
            )
        if not self._is_deferred:
            call.reply.send(answer)

    async def _continue(self, server: Server) -> None:
        while self._continues and self._stopping is None and not self._is_held:
            await server.handle_continue(self._continues.pop(0))

    def _note(self, envelope: Any, caller: ProcessRef | None) -> None:
        self.caller = caller
        self._envelope = envelope
        self.process.handled += 1
        if self._is_observed:
            self._observe(_entry_of(envelope))

    def _observe(self, entry: LogEntry) -> None:
        if self._log is not None:
            self._log.append(entry)
        if self._is_traced:
            waiting = {"waiting": len(self.process.mailbox)}
            metadata = {"process": self.process.label, "entry": entry}
            telemetry.execute(("supervision", "server", "message"), waiting, metadata)


def _entry_of(envelope: Any) -> LogEntry:
    if isinstance(envelope, Call | Cast):
        kind: Literal["call", "cast"] = "call" if isinstance(envelope, Call) else "cast"
        return LogEntry(kind, envelope.message, envelope.caller)
    return LogEntry("info", envelope, None)


def _check_outcome(server: Server, outcome: object) -> None:
    if outcome is not None and not isinstance(outcome, Continue):
        raise TypeError(
            f"{type(server).__name__}.init returned {outcome!r}. "
            "It may return None, Continue(value) or Ignore; keep state in attributes of self."
        )
