"""Keep the threads that blocks are computed in, and put short ones on different CPUs.

Linux leaves two threads that are woken together on one CPU for a millisecond or two, while another is idle,
and puts one that has waited for Python's lock behind the one that let go of it.  Of a small model that is as
long as a block.  So a thread is told where it may run before it is woken; what takes long is left to the
system.
"""

import contextlib
import itertools
import os
import threading
from collections.abc import Callable, Collection
from queue import Empty, SimpleQueue

SHORT = 0.02
"""Seconds; a computation of more may run on any CPU, where the system finds it one that is free."""
_IDLE = 10.0
"""Seconds that a thread waits for something to compute, before it ends."""


def allowed_cpus() -> set[int] | None:
    """Return the CPUs that this process may use, or None where the system has no such thing.

    They are the main thread's: others may be on fewer, for a moment.
    """
    return os.sched_getaffinity(os.getpid()) if hasattr(os, "sched_getaffinity") else None


def share_of(cpus: Collection[int], number: int, of: int) -> set[int]:
    """Return those of some CPUs that one of so many threads is to run on, as even as can be.

    Args:
      cpus: to be shared.
      number: of the thread, from 0; beyond the last it begins again at the first.
      of: how many threads there are to be; more than there are CPUs count as so many.
    """
    parts = max(1, min(of, len(cpus)))
    return set(sorted(cpus)[number % parts :: parts])


class Place:
    """Where one thread may run."""

    def __init__(self) -> None:
        """Be wherever the system likes."""
        self.number = 0
        """Of the thread, among those that compute: no other has it meanwhile."""
        self.thread: int | None = None
        """As the system knows it; None before it has begun."""
        self._cpus: set[int] | None = None

    def take(self, of: int, seconds: float) -> None:
        """Let the thread run on its share of the CPUs, or on any if it is to compute for long.

        Args:
          of: how many threads compute beside each other, this one included.
          seconds: that it is expected to compute.
        """
        cpus = allowed_cpus()
        if cpus is None or self.thread is None:
            return
        if seconds <= SHORT:
            cpus = share_of(cpus, self.number, of)
        if cpus != self._cpus:
            # It is a hint: where the system does not take it, it is as it would have been.
            with contextlib.suppress(OSError):
                os.sched_setaffinity(self.thread, cpus)
                self._cpus = cpus


Job = Callable[[Place], Callable[[], None]]
"""What a thread does, given its place; it returns what is to be done last, when the next may be there."""


class Threads:
    """The threads of a process, each of which waits a while for the next job."""

    def __init__(self) -> None:
        """Begin with none."""
        self.forget()

    def forget(self) -> None:
        """Know of no thread: a process that was forked has none."""
        self._lock = threading.Lock()
        self._idle: list[_Thread] = []
        self._numbers: set[int] = set()  # of those that compute

    def start(self, job: Job, *, of: int, seconds: float) -> None:
        """Do something in a thread, and do not wait for it.

        Args:
          job: what.
          of: how many threads compute beside each other, this one included.
          seconds: that it is expected to take.

        Raises:
          RuntimeError: there is no room for another thread.
        """
        with self._lock:
            thread = self._idle.pop() if self._idle else None
        if thread is None:
            thread = _Thread(self)
            thread.begin()
        with self._lock:
            thread.place.number = next(k for k in itertools.count() if k not in self._numbers)
            self._numbers.add(thread.place.number)
        thread.place.take(of, seconds)
        thread.jobs.put(job)

    def rest(self, thread: "_Thread") -> None:
        """Let a thread be given the next job."""
        with self._lock:
            self._numbers.discard(thread.place.number)
            self._idle.append(thread)

    def leave(self, thread: "_Thread") -> bool:
        """Return whether a thread may end, and has been given no job."""
        with self._lock:
            if thread not in self._idle:
                return False
            self._idle.remove(thread)
            return True


class _Thread:
    def __init__(self, threads: Threads) -> None:
        self.place = Place()
        self.jobs: SimpleQueue[Job] = SimpleQueue()
        self._threads = threads

    def begin(self) -> None:
        thread = threading.Thread(target=self._run, name="computes for exmc_actors", daemon=True)
        thread.start()
        self.place.thread = thread.native_id

    def _run(self) -> None:
        while True:
            try:
                job = self.jobs.get(timeout=_IDLE)
            except Empty:
                if self._threads.leave(self):
                    return
                job = self.jobs.get()
            last = job(self.place)
            del job
            self._threads.rest(self)
            last()
            del last


PROCESS = Threads()
"""Those of this process."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=PROCESS.forget)
