"""Run single functions as supervised processes, and wait for what they return.

A task is a temporary child of a dynamic supervisor: it is never restarted, it can be seen in the tree, and
it ends with its supervisor at the latest.
"""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Any, Generic, TypeVar, TypeVarTuple, final

import trio

from supervision.child import ChildSpec, ShutdownTime
from supervision.children import StartChild
from supervision.context import current_process
from supervision.errors import ProcessExited, SpecError
from supervision.exits import KILL, Normal, Shutdown
from supervision.handle import DynamicSupervisor
from supervision.notices import EndWatch
from supervision.reference import ProcessRef, Ref

T = TypeVar("T")
R = TypeVar("R")
ItemT = TypeVar("ItemT")
Ts = TypeVarTuple("Ts")


@final
class Task(Generic[T]):
    """One function that runs as a process of its own."""

    def __init__(self, ref: ProcessRef, values: list[T]) -> None:
        """Hold the process; ``Tasks`` makes these.

        Args:
          ref: the process.
          values: where the function's value will be, and nothing else.
        """
        self.ref = ref
        self._values = values

    async def result(self) -> T:
        """Wait for the end of the function and return what it returned.

        Raises:
          ProcessExited: when it ended in another way; what it raised is the ``__cause__``.
        """
        await self.ref.wait_exited()
        return self.result_nowait()

    def result_nowait(self) -> T:
        """Return what the function returned; as ``result``, but with ``trio.WouldBlock`` while it runs."""
        reason = self.ref.resolve().reason
        if reason is None:
            raise trio.WouldBlock
        if isinstance(reason, Normal) and self._values:
            return self._values[0]
        raise ProcessExited(reason, str(self.ref))

    def __repr__(self) -> str:
        return f"<task {self.ref.resolve().label!r}>"


@final
class Tasks:
    """Starts tasks under a dynamic supervisor."""

    def __init__(self, supervisor: DynamicSupervisor | Ref, *, shutdown: ShutdownTime = 5.0) -> None:
        """Use a supervisor; several of these may use the same one.

        Args:
          supervisor: a dynamic supervisor, or its address; a name, say.
          shutdown: the time that a task has to stop in, as for a ChildSpec.
        """
        if not isinstance(supervisor, DynamicSupervisor | Ref):
            raise SpecError(
                f"Tasks run under a dynamic supervisor, given itself or by a ref; got {supervisor!r}."
            )
        self._supervisor = supervisor.ref if isinstance(supervisor, DynamicSupervisor) else supervisor
        self._template = ChildSpec("task", trio.lowlevel.checkpoint, restart="temporary", shutdown=shutdown)

    async def async_(self, function: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> Task[T]:
        """Start a task that is linked to the process that asks: neither survives a crash of the other.

        Raises:
          SpecError: outside of all processes, where there is nobody to link to.
          SupervisionError: when the supervisor refuses; TooManyChildren, say.
        """
        caller = current_process.get()
        if caller is None:
            raise SpecError("Outside of all processes there is nobody to link a task to. Use async_nolink.")
        is_linked = trio.Event()

        # Not before it is linked, or a crash could go by unnoticed.
        async def linked(*args: *Ts) -> T:
            await is_linked.wait()
            return await function(*args)

        task = await self._start(_name_of(function), linked, args)
        caller.contacts.link(task.ref)
        is_linked.set()
        return task

    async def async_nolink(self, function: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> Task[T]:
        """Start a task whose crash only its ``result`` tells of.

        Raises:
          SupervisionError: when the supervisor refuses; TooManyChildren, say.
        """
        return await self._start(_name_of(function), function, args)

    def async_stream(
        self,
        function: Callable[[ItemT], Awaitable[T]],
        items: Iterable[ItemT] | AsyncIterable[ItemT],
        *,
        max_concurrency: int = 8,
        ordered: bool = True,
    ) -> AbstractAsyncContextManager[AsyncIterator[T]]:
        """Run a function for each item, some at a time, and iterate over what it returns.

        ``async with tasks.async_stream(fetch, urls) as pages: async for page in pages: ...``. A failure is
        raised where its value would be. Items are taken only as results are; leaving the block stops the
        tasks that are left.

        Args:
          function: takes one item.
          items: any number of them.
          max_concurrency: how many tasks there are at a time, those included whose result is not taken.
          ordered: results come in the order of the items; else as soon as they are there.
        """
        options = _StreamOptions(max_concurrency, ordered)
        return _Stream(self, partial(self._start_for, function), items, Task[T].result_nowait, options)

    def async_stream_nolink(
        self,
        function: Callable[[ItemT], Awaitable[T]],
        items: Iterable[ItemT] | AsyncIterable[ItemT],
        *,
        max_concurrency: int = 8,
        ordered: bool = True,
    ) -> AbstractAsyncContextManager[AsyncIterator[Task[T]]]:
        """As ``async_stream``, but iterate over the ended tasks, so that a failure ends nothing else."""
        options = _StreamOptions(max_concurrency, ordered)
        return _Stream(self, partial(self._start_for, function), items, lambda task: task, options)

    async def stop(self, tasks: Iterable[Task[Any]]) -> None:
        """Stop some tasks at once, within the time that they have, and wait for their ends.

        Cancelled meanwhile, it kills them.
        """
        tasks = list(tasks)
        for task in tasks:
            task.ref.exit(KILL if self._template.shutdown == "brutal_kill" else Shutdown())
        try:
            with trio.move_on_after(self._template.grace):
                for task in tasks:
                    await task.ref.wait_exited()
        finally:
            for task in tasks:
                task.ref.exit(KILL)
            with trio.CancelScope(shield=True):
                for task in tasks:
                    await task.ref.wait_exited()
        await trio.lowlevel.checkpoint_if_cancelled()

    async def _start_for(
        self, function: Callable[[ItemT], Awaitable[T]], fetched: "_Fetched[ItemT]"
    ) -> Task[T]:
        async def taking() -> T:
            fetched.is_taken = True
            return await function(fetched.item)

        return await self._start(_name_of(function), taking, ())

    async def _start(self, name: str, function: Callable[[*Ts], Awaitable[T]], args: tuple[*Ts]) -> Task[T]:
        values: list[T] = []
        scope = trio.CancelScope()

        async def run() -> None:
            with scope:
                await trio.lowlevel.checkpoint_if_cancelled()
                values.append(await function(*args))

        answer: Any = None
        try:
            answer = await self._supervisor.call(StartChild(replace(self._template, id=name, start=run)))
        finally:
            # Cancelled meanwhile: nobody would ever ask for the result.
            if answer is None:
                scope.cancel(reason="nobody waits for the start of this task")
        assert isinstance(answer, ProcessRef)
        return Task(answer, values)


@final
class _Stream(AbstractAsyncContextManager["_Stream[ItemT, T, R]"], AsyncIterator[R], Generic[ItemT, T, R]):
    """Tasks for items, a few ahead of whoever takes the results."""

    def __init__(
        self,
        tasks: Tasks,
        start: "Callable[[_Fetched[ItemT]], Awaitable[Task[T]]]",
        items: Iterable[ItemT] | AsyncIterable[ItemT],
        take: Callable[[Task[T]], R],
        options: "_StreamOptions",
    ) -> None:
        self._tasks = tasks
        self._start = start
        self._source = aiter(items if isinstance(items, AsyncIterable) else _Slowly(items))
        self._take = take
        self._options = options
        self._is_exhausted = False
        self._fetched: _Fetched[ItemT] | None = None
        self._started: dict[Task[T], EndWatch] = {}
        self._ended: dict[Task[T], None] = {}
        self._waiting = trio.lowlevel.ParkingLot()

    async def __anext__(self) -> R:
        await self._fill_up(self._options.max_concurrency)
        if not self._started:
            raise StopAsyncIteration
        task = await self._next_ended()
        # Its place is free, but it stays here until nothing can be cancelled any more.
        await self._fill_up(self._options.max_concurrency + 1)
        del self._started[task], self._ended[task]
        return self._take(task)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._tasks.stop(self._started)

    async def _fill_up(self, limit: int) -> None:
        await trio.lowlevel.checkpoint()
        while len(self._started) < limit and not self._is_exhausted:
            try:
                if self._fetched is None or self._fetched.is_taken:
                    self._fetched = _Fetched(await anext(self._source))
            except StopAsyncIteration:
                self._is_exhausted = True
            else:
                task = await self._start(self._fetched)
                self._fetched = None
                self._started[task] = EndWatch(task.ref, partial(self._note_end, task))

    def _note_end(self, task: Task[T]) -> None:
        self._ended[task] = None
        self._waiting.unpark_all()

    async def _next_ended(self) -> Task[T]:
        while True:
            candidates = self._started if self._options.is_ordered else self._ended
            first = next(iter(candidates), None)
            if first is not None and first in self._ended:
                return first
            await self._waiting.park()


@dataclass(slots=True)
class _Fetched(Generic[ItemT]):
    """An item that has no task yet; where a start is cancelled or refused, it is the next one again."""

    item: ItemT
    is_taken: bool = False
    """Whether the function has begun with it."""


@dataclass(frozen=True, slots=True)
class _StreamOptions:
    max_concurrency: int
    is_ordered: bool

    def __post_init__(self) -> None:
        number = self.max_concurrency
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise SpecError(f"max_concurrency must be a whole number, 1 or more, got {number!r}.")


@final
class _Slowly(AsyncIterator[ItemT]):
    """Not a generator, which whoever leaves the stream early would have to close."""

    def __init__(self, items: Iterable[ItemT]) -> None:
        self._items = iter(items)

    async def __anext__(self) -> ItemT:
        for item in self._items:
            return item
        raise StopAsyncIteration


def _name_of(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", None) or type(function).__name__
