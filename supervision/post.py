"""Send messages to a process: with a reply to wait for, with room to wait for, or without waiting at all."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import trio
from trio.lowlevel import enable_ki_protection

from supervision.context import current_process, is_holding_up
from supervision.errors import CallingSelf, ProcessExited
from supervision.exits import ExitReason, NoProc, check_reason
from supervision.messages import Call, Cast, Reply, Stop, System
from supervision.report import report_dead_letters

if TYPE_CHECKING:
    from supervision.process import Process
    from supervision.reference import Ref
    from supervision.server_loop import ServerLoop


async def call(ref: "Ref", message: Any) -> Any:
    """Send a call and wait for the reply; see ``Ref.call``."""
    process, sender = ref.resolve(), current_process.get()
    if process is None or process.reason is not None:
        await trio.lowlevel.checkpoint()
        raise ProcessExited(NoProc(), str(ref))
    _refuse_self(process, message)
    reply = Reply()
    envelope = Call(message, reply, None if sender is None else sender.ref)
    return await _wait_for_reply(process, reply, envelope)


@enable_ki_protection
def cast(ref: "Ref", message: Any) -> None:
    """Put a message into the mailbox, or drop it if nobody is there."""
    process, sender = ref.resolve(), current_process.get()
    if process is None or process.mailbox.is_closed:
        report_dead_letters(str(ref), [message])
    else:
        process.mailbox.put(Cast(message, None if sender is None else sender.ref))


async def send(ref: "Ref", message: Any) -> None:
    """Put a message into the mailbox as soon as there is room, or drop it if nobody is there."""
    process, sender = ref.resolve(), current_process.get()
    if process is None or process.mailbox.is_closed:
        report_dead_letters(str(ref), [message])
        await trio.lowlevel.checkpoint()
        return
    if process.mailbox.is_waiting_needed and _waits_for_itself(process):
        raise CallingSelf(
            f"{process.label!r} would wait for room in its own full mailbox, which only it can make. "
            "Give it more capacity, or another overflow."
        )
    await process.mailbox.put_when_there_is_room(Cast(message, None if sender is None else sender.ref))


async def stop(ref: "Ref", reason: ExitReason) -> ExitReason:
    """Ask for an end after the current message and wait for it; see ``Ref.stop``."""
    check_reason(reason, "stop")
    process = ref.resolve()
    if process is None or process.is_ended:
        await trio.lowlevel.checkpoint()
        raise ProcessExited(NoProc(), str(ref))
    if _waits_for_itself(process):
        raise CallingSelf(
            f"{process.label!r} would wait for its own end. Within a server write self.stop(reason)."
        )
    if process.program.serves:
        process.mailbox.put_urgent(Stop(reason))
    else:
        process.end(reason)
    return await process.wait_exited()


async def ask_loop(ref: "Ref", act: "Callable[[ServerLoop], Any]") -> Any:
    """Let the loop of a server do something between two messages; return what it returns."""
    process = ref.resolve()
    if process is None or process.reason is not None:
        await trio.lowlevel.checkpoint()
        raise ProcessExited(NoProc(), str(ref))
    _refuse_self(process, act)
    if not process.program.serves:
        raise TypeError(f"{process.label!r} is a plain function: there is no server to look into.")
    reply = Reply()
    return await _wait_for_reply(process, reply, System(act, reply))


def tell_loop(ref: "Ref", act: "Callable[[ServerLoop], Any]") -> None:
    """Let the loop of a server do something between two messages, without waiting for it."""
    if (process := ref.resolve()) is not None:
        process.mailbox.put_urgent(System(act, Reply()))


@enable_ki_protection
async def _wait_for_reply(process: "Process", reply: Reply, envelope: Call | System) -> Any:
    waiting = current_process.get()
    if waiting is not None and not is_holding_up(waiting):
        waiting = None
    callers = process.contacts.callers
    callers[reply] = None
    if waiting is not None:
        waiting.calls = (*waiting.calls, process.label)
    try:
        if isinstance(envelope, System):
            process.mailbox.put_urgent(envelope)
        elif process.mailbox.capacity is None:
            process.mailbox.put(envelope)
        else:
            await process.mailbox.put_when_there_is_room(envelope)
        return await reply.wait()
    finally:
        del callers[reply]
        if waiting is not None:
            at = waiting.calls.index(process.label)
            waiting.calls = waiting.calls[:at] + waiting.calls[at + 1 :]


def _waits_for_itself(process: "Process") -> bool:
    """Return whether nobody is left in the process to take a message: a function may have other tasks."""
    if not is_holding_up(process):
        return False
    return process.program.serves or not (process.main_task and process.main_task.child_nurseries)


def _refuse_self(process: "Process", message: Any) -> None:
    if _waits_for_itself(process):
        raise CallingSelf(
            f"{process.label!r} called itself with {message!r} and would wait for ever. "
            "Call the method directly, or cast the message to self.ref."
        )
