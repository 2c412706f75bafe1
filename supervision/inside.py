"""Let a plain function act as the process that it runs in: receive messages, link, watch, trap exits.

Servers have methods for all this. Outside of every process, these functions refuse.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from supervision.context import current_process
from supervision.messages import Cast, Monitor
from supervision.reference import Ref

if TYPE_CHECKING:
    from supervision.process import Process


def _anything(_message: object) -> bool:
    return True


async def receive(*, match: Callable[[Any], object] = _anything) -> Any:
    """Wait for the oldest message that matches and take it; all others stay where they are, in order.

    What was cast comes as it is, and so do ``Down`` and ``Exit``. What was called comes as a ``Call``:
    ``call.message`` is the message, and ``call.reply.send(value)`` answers it, now or later.

    Args:
      match: is given each message, oldest first; any true value takes it.
    """
    process = _own("receive")
    message = await process.mailbox.get_match(_as_received, match)
    process.handled += 1
    return message


def monitor(ref: Ref) -> Monitor:
    """Watch a process: exactly one ``Down`` will be received, at once if there is no such process."""
    return _own("monitor").contacts.watch(ref)


def demonitor(monitor: Monitor) -> None:
    """Stop watching: no ``Down`` of this monitor will be received from now on."""
    _own("demonitor").contacts.unwatch(monitor)


def link(ref: Ref) -> None:
    """Share the fate of a process, both ways: an abnormal end, or a shutdown, of one ends the other."""
    _own("link").contacts.link(ref)


def unlink(ref: Ref) -> None:
    """Undo a link, whoever of the two has made it."""
    _own("unlink").contacts.unlink(ref)


def trap_exit(is_trapping: bool = True) -> None:
    """Receive exit signals as ``Exit`` messages from now on, but for a kill and the supervisor's orders."""
    process = _own("trap_exit")
    if process.program.serves:
        raise RuntimeError("A server says whether it traps exits by its attribute: self.trap_exit = True.")
    process.program.is_trapping = is_trapping


def _own(what: str) -> "Process":
    process = current_process.get()
    if process is None:
        raise RuntimeError(
            f"{what}() belongs into a process, and this task runs in none. "
            "Start the function by a supervisor: ChildSpec('an id', function)."
        )
    if what == "receive" and process.program.serves:
        raise RuntimeError("A server's messages come to its handlers; receive() is for plain functions.")
    return process


def _as_received(message: Any) -> Any:
    return message.message if isinstance(message, Cast) else message
