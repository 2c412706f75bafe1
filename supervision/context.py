"""Know which process a task belongs to, and whether that process waits for it."""

from contextvars import ContextVar
from typing import TYPE_CHECKING

from trio.lowlevel import Task, current_task

if TYPE_CHECKING:
    from supervision.process import Process
    from supervision.reference import ProcessRef

current_process: ContextVar["Process | None"] = ContextVar("supervision.current_process", default=None)
"""Inherited by the tasks and worker threads that a process starts."""


def current() -> "ProcessRef | None":
    """Return the process that the calling task belongs to; None outside of all processes."""
    process = current_process.get()
    return None if process is None else process.ref


def is_holding_up(process: "Process") -> bool:
    """Return whether the program of the process waits for the calling task.

    It waits for what it does itself and for the nurseries that it has opened; not for background tasks, nor
    for those that it has started in a nursery of somebody else.
    """
    if current_process.get() is not process:
        return False
    task: Task | None = current_task()
    while task is not None and task is not process.main_task:
        nursery = task.parent_nursery
        task = None if nursery is None else nursery.parent_task
    return task is not None
