"""Know which process a task belongs to."""

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervision.process import Process
    from supervision.reference import ProcessRef

current_process: ContextVar["Process | None"] = ContextVar("supervision.current_process", default=None)
"""Inherited by the tasks and worker threads that a process starts."""

awaited_by: ContextVar["Process | None"] = ContextVar("supervision.awaited_by", default=None)
"""The process whose message loop stands still until this task goes on; background tasks have none."""


def current() -> "ProcessRef | None":
    """Return the process that the calling task belongs to; None outside of all processes."""
    process = current_process.get()
    return None if process is None else process.ref
