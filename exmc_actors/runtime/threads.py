"""Keep the threads that blocks are computed in, and put those with short ones on different CPUs.

Linux leaves two threads that are woken together on one CPU for a millisecond or two, while another is idle,
and puts one that has waited for Python's lock behind the one that let go of it.  A block of a small model
takes no longer than that.  So a thread is told where it may run before it is woken; what takes long is left
to the system, which finds a CPU that is free.
"""

import contextlib
import itertools
import os
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue

SHORT = 0.02
"""Seconds of the longest computation that may be kept to some CPUs."""
_IDLE = 300.0
"""Seconds that a thread waits for something to compute, before it ends: who thinks for a minute between two
short runs would else wait for new threads, for some 2 ms of the second run's 30."""


def allowed_cpus() -> frozenset[int] | None:
    """Return the CPUs that this thread may use, or None where the system says nothing of them."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    with contextlib.suppress(OSError):
        return frozenset(os.sched_getaffinity(0))
    return None


def share_of(cpus: Collection[int], number: int, threads: int) -> frozenset[int]:
    """Return those of some CPUs that one of so many threads is to run on, as even as can be.

    Args:
      cpus: to be shared.
      number: of the thread, from 0; beyond the last it begins again at the first.
      threads: how many there are to be; more than there are CPUs count as so many.
    """
    parts = max(1, min(threads, len(cpus)))
    return frozenset(sorted(cpus)[number % parts :: parts])


@dataclass(frozen=True)
class Allowance:
    """The CPUs that a computation may have."""

    cpus: frozenset[int] | None = None
    """That whoever asks for it may use; None where the system says nothing of them."""
    threads: int = 1
    """How many share them while they compute."""


ANY = Allowance()
"""Wherever the thread may run already."""

Job = Callable[["Place"], Callable[[], None]]
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
        self._numbers: set[int | None] = set()  # of those that compute

    def start(self, job: Job, allowance: Allowance) -> None:
        """Do something in a thread, and do not wait for it.

        Raises:
          RuntimeError: there is no room for another thread.
        """
        with self._lock:
            thread = self._idle.pop() if self._idle else None
        if thread is None:
            thread = _Thread(self)
            thread.begin()
        thread.place.take(allowance)
        thread.jobs.put(job)

    def rest(self, thread: "_Thread") -> None:
        """Let a thread be given the next job."""
        with self._lock:
            self._idle.append(thread)

    def leave(self, thread: "_Thread") -> bool:
        """Return whether a thread may end, and has been given no job."""
        with self._lock:
            if thread not in self._idle:
                return False
            self._idle.remove(thread)
            return True

    def number_for(self, place: "Place", threads: int) -> int:
        """Return the number of a thread among those that compute: what it has, or the first that none has.

        Args:
          place: of the thread.
          threads: how many share the CPUs; a number beyond them would be that of another's CPUs.
        """
        with self._lock:
            if place.number is None or place.number >= threads:
                self._numbers.discard(place.number)
                place.number = next(k for k in itertools.count() if k not in self._numbers)
                self._numbers.add(place.number)
            return place.number

    def free(self, place: "Place") -> None:
        """Let another thread have the number."""
        with self._lock:
            self._numbers.discard(place.number)
            place.number = None


class Place:
    """Where one thread may run."""

    def __init__(self, threads: Threads) -> None:
        """Be where the thread is that begins this one."""
        self._threads = threads
        self._thread: int | None = None
        self._cpus = allowed_cpus()
        self.number: int | None = None
        """Of the thread, while it computes."""

    def belongs_to(self, thread: int | None) -> None:
        """Be the place of a thread, which the system knows by this number."""
        self._thread = thread

    def take(self, allowance: Allowance) -> None:
        """Have the system keep the thread to its share of the CPUs, among the threads that compute now."""
        number = self._threads.number_for(self, allowance.threads)
        cpus = allowance.cpus and share_of(allowance.cpus, number, allowance.threads)
        if cpus and cpus != self._cpus and self._thread is not None:
            # Where the system does not take it, all is as it would have been.
            with contextlib.suppress(OSError):
                os.sched_setaffinity(self._thread, cpus)
                self._cpus = cpus

    @contextlib.contextmanager
    def left_at_the_end(self) -> Iterator[None]:
        """Let another thread have the number after the block; the CPUs stay until the next is taken."""
        try:
            yield
        finally:
            self._threads.free(self)


class _Thread:
    def __init__(self, threads: Threads) -> None:
        self.place = Place(threads)
        self.jobs: SimpleQueue[Job] = SimpleQueue()
        self._threads = threads

    def begin(self) -> None:
        thread = threading.Thread(target=self._run, name="computes for exmc_actors", daemon=True)
        thread.start()
        self.place.belongs_to(thread.native_id)

    def _run(self) -> None:
        while True:
            try:
                job = self.jobs.get(timeout=_IDLE)
            except Empty:
                if self._threads.leave(self):
                    return
                job = self.jobs.get()
            with self.place.left_at_the_end():
                last = job(self.place)
            del job
            self._threads.rest(self)
            last()
            del last


PROCESS = Threads()
"""Those of this process."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=PROCESS.forget)
