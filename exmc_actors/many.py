"""Run many runs beside each other: a queue, priorities, and a dynamic supervisor of the runs that have begun.

open_runtime
|- runs                      dynamic: a process a run, which holds it open until it is over
`- queue                     begins the runs whose turn it is

What is known of each run is in the ``Runtime``, above both.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

import trio

import supervision as sv
from exmc_actors.arguments import integer
from exmc_actors.errors import SettingsError
from exmc_actors.held_run import HeldRun, RunStatus
from exmc_actors.model import unknown
from exmc_actors.opening import open_run
from exmc_actors.options import checked, settled
from exmc_actors.runtime import available_cores, check_priority
from exmc_actors.slot import Slot

DEFAULT_KEEP = 32


@asynccontextmanager
async def open_runtime(*, at_once: int | None = None, keep: int = DEFAULT_KEEP) -> AsyncIterator["Runtime"]:
    """Open a runtime, which runs are started in; leaving stops them all.

    A run begins as soon as fewer than ``at_once`` chains sample, those of runs with a lower priority not
    counted; until then it waits in the queue, by priority and then by arrival.  Where runs that have begun
    wait for a core, the higher priority goes first too.  Neither changes a draw.

    Args:
      at_once: how many chains keep further runs waiting; None means the cores that this process may use.
      keep: how many runs that have ended are kept, with their draws; the one that ended first is forgotten
        first.

    Raises:
      SettingsError: an argument is out of range.
    """
    _check(at_once, keep)
    runtime = Runtime(at_once, keep)
    try:
        async with sv.open_dynamic_supervisor() as runtime.supervisor:
            queue = sv.ChildSpec("queue", Queue, args=(runtime,))
            async with sv.open_supervisor([queue]) as above:
                runtime._queue = above.child("queue")
                try:
                    yield runtime
                finally:
                    runtime._leave()
    finally:
        runtime._end_all()


class Runtime:
    """The runs of a program, in progress, in the queue and ended; made by ``open_runtime``."""

    supervisor: sv.DynamicSupervisor
    """Of the runs that have begun, to look at and to break on purpose."""
    _queue: sv.Ref

    def __init__(self, at_once: int | None, keep: int) -> None:
        """Begin without runs."""
        self._at_once = at_once
        self._keep = keep
        self._runs: dict[str, Slot] = {}
        self._ended: dict[str, None] = {}
        self._numbers = count(1)
        self._is_left = False

    async def start_run(
        self, model: Any = None, *, name: str | None = None, priority: int = 0, **options: Any
    ) -> HeldRun:
        """Put a run into the queue, from which it begins when it is its turn: in a moment, if it is now.

        The draws are those that ``ex.sample`` makes of the same arguments.

        Args:
          model: as of ``open_run``.
          name: by which it is found, unique among the runs that are not forgotten; None numbers it.
          priority: of the run, in the queue and for cores; higher ones go first.
          options: the other arguments of ``open_run``.

        Raises:
          SettingsError: the name is taken, or an option is unknown, of the wrong kind or out of range.
        """
        await trio.lowlevel.checkpoint()
        if self._is_left:
            raise SettingsError("this runtime has been left: open another one for further runs.")
        options = settled(options)
        settings = checked(options)
        slot = Slot(
            self._free_name(name),
            check_priority(priority),
            1 if settings is None else settings.chains,  # what a store holds is not known yet
            partial(open_run, model, priority=priority, **options),
        )
        self._runs[slot.name] = slot
        self._look()
        return self._held(slot)

    def run(self, name: str) -> HeldRun:
        """Return a run by its name.

        Raises:
          SettingsError: there is none of that name.
        """
        return self._held(self._slot(name))

    def runs(self) -> tuple[RunStatus, ...]:
        """Return how all runs stand that are not forgotten, in the order in which they were started."""
        places = {slot: place for place, slot in enumerate(self._queued())}
        return tuple(slot.status(places.get(slot)) for slot in self._runs.values())

    async def stop(self, name: str) -> None:
        """Stop a run, or take it out of the queue; returns when nothing of it goes on.  Twice is no error.

        What it has committed stays its result.

        Raises:
          SettingsError: there is none of that name.
        """
        slot = self._slot(name)
        if slot.is_queued:
            slot.end()
            self._end(slot)
        slot.cancel()
        await slot.wait_over()

    def forget(self, name: str) -> None:
        """Let go of a run that has ended, so that its draws need no memory here and its name is free.

        Whoever holds the run still has it.

        Raises:
          SettingsError: there is none of that name, or it has not ended.
        """
        slot = self._slot(name)
        if not slot.is_over:
            raise SettingsError(
                f"run {name!r} has not ended: await rt.stop({name!r}) before rt.forget({name!r})."
            )
        del self._runs[name], self._ended[name]

    def _slot(self, name: str) -> Slot:
        if name not in self._runs:
            raise SettingsError(f"{unknown('run', str(name), self._runs)}.")
        return self._runs[name]

    def _held(self, slot: Slot) -> HeldRun:
        def status() -> RunStatus:
            return slot.status(self._queued().index(slot) if slot.is_queued else None)

        return HeldRun(slot, status)

    def _free_name(self, name: str | None) -> str:
        if name is None:
            return next(free for number in self._numbers if (free := f"run {number}") not in self._runs)
        if not isinstance(name, str) or not name:
            raise SettingsError(
                f"name must be a non-empty string or None, got {name!r}: write, say, name='a'."
            )
        if name in self._runs:
            raise SettingsError(
                f"there is a run called {name!r} already: choose another name, or rt.forget({name!r}) when "
                "it has ended."
            )
        return name

    def _look(self) -> None:
        """Let the queue see whose turn it is."""
        self._queue.cast(Look())

    def _next(self) -> Slot | None:
        """Return the run whose turn it is to begin."""
        first = next(iter(self._queued()), None)
        if first is None or self._is_left:
            return None
        before = sum(slot.sampling for slot in self._runs.values() if slot.priority >= first.priority)
        return first if before < (self._at_once or available_cores()) else None

    def _queued(self) -> list[Slot]:
        waiting = [slot for slot in self._runs.values() if slot.is_queued]
        return sorted(waiting, key=lambda slot: -slot.priority)  # of equals the first comes first

    def _end(self, slot: Slot) -> None:
        """Keep a run that has ended, and forget those that ended too long ago."""
        self._ended[slot.name] = None
        while len(self._ended) > self._keep:
            self.forget(next(iter(self._ended)))
        self._look()

    def _leave(self) -> None:
        """Begin no run any more; those that have begun are stopped by their supervisor."""
        self._is_left = True
        for slot in self._queued():
            slot.end()
            self._end(slot)

    def _end_all(self) -> None:
        """Let nobody wait for a run whose process never came to do anything."""
        for slot in [one for one in self._runs.values() if not one.is_over]:
            slot.end()
            self._end(slot)


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody tells the queue that a run may begin now."""


class Queue(sv.Server):
    """Begin the runs whose turn it is."""

    async def init(self, runtime: Runtime) -> None:
        """Begin those that have waited since an earlier incarnation."""
        self._runtime = runtime
        self.ref.cast(Look())

    async def handle_cast(self, message: Look) -> None:
        """Begin runs until it is nobody's turn."""
        while (slot := self._runtime._next()) is not None:
            slot.begin()
            about = (self._runtime._look, self._runtime._end)
            # A run that failed would fail again: it is not restarted, and its error is its result.
            spec = sv.ChildSpec(slot.name, slot.keep_open, about, restart="temporary", shutdown="infinity")
            await self._runtime.supervisor.start_child(spec)


def _check(at_once: Any, keep: Any) -> None:
    for name, value, least in (("at_once", at_once, 1), ("keep", keep, 0)):
        if name == "keep" or value is not None:
            integer(name, value, least, example=8)
