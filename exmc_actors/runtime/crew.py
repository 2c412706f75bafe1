"""Compute a list of jobs in several threads: one that has them, and others for as long as they have a core.

No job waits for a helper: what nobody has taken, its owner computes.
"""

import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, TypeVar

import outcome

T = TypeVar("T")


class Crew:
    """A thread with jobs, and its helpers, of whom any number may never come."""

    def __init__(self, helpers: int) -> None:
        """Begin with no job.

        Args:
          helpers: how many there may be.
        """
        self.helpers = helpers
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()

    @property
    def size(self) -> int:
        """How many threads there may be."""
        return self.helpers + 1

    def compute(self, functions: Sequence[Callable[[], T]]) -> list[T]:
        """Return what the functions return, when all have ended; raise what the first of them raised."""
        jobs = [_Job(function) for function in functions]
        for job in jobs[1:]:
            self._jobs.put(job)
        # The first is nobody else's; helpers take the others from the front.
        for job in (jobs[0], *reversed(jobs[1:])):
            job.compute_unless_taken()
        return [job.result() for job in jobs]

    def help(self) -> None:
        """Compute jobs until there are no more to come; blocks."""
        while (job := self._jobs.get()) is not None:
            job.compute_unless_taken()

    def dismiss(self) -> None:
        """Let the helpers go, those too who are still to come."""
        for _ in range(self.helpers):
            self._jobs.put(None)


class _Job:
    """A function, until somebody has computed it."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._taken = threading.Lock()
        self._ended = threading.Event()
        self._outcome: outcome.Outcome[Any] | None = None

    def compute_unless_taken(self) -> None:
        if self._taken.acquire(blocking=False):  # for good
            try:
                self._outcome = outcome.capture(self._function)
            finally:
                self._ended.set()

    def result(self) -> Any:
        self._ended.wait()
        assert self._outcome is not None
        return self._outcome.unwrap()
