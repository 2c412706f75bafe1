"""Start processes, owned by the current one or by nobody, and hold cancellations off the current one."""

from contextlib import AbstractContextManager

import trio

from supervision.child import Name
from supervision.context import current_process
from supervision.mailbox import Mailbox
from supervision.process import Process
from supervision.program import Program


def spawn(
    program: Program, label: str, *, mailbox: Mailbox | None = None, name: Name | None = None
) -> Process:
    """Start a process that the current one owns."""
    return _current().spawn(program, label, mailbox=mailbox, name=name)


def spawn_in(nursery: trio.Nursery, program: Program, label: str) -> Process:
    """Start a process that nobody owns, in a nursery that waits for it but cannot cancel it."""
    process = Process(program, label, nursery)
    nursery.start_soon(process.run, name=label)
    return process


def shielded() -> AbstractContextManager[None]:
    """Hold every cancellation off a piece of the current process's work, but for a kill."""
    return _current().shield()


def _current() -> Process:
    process = current_process.get()
    assert process is not None
    return process
