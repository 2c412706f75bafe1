"""Run trio in a thread for an asyncio program: call into it, hold context managers open, cancel both ways.

Of runs it knows only what to say when one was left.  A portal is one thread and one trio loop; what is asked
of it becomes a task there.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, TypeVar

import outcome
import trio

from exmc_actors.errors import RunFailed

T = TypeVar("T")


class NoLongerOpen(RunFailed):
    """The block that holds the portal was left, by another task or before."""


class Portal:
    """A trio loop in a thread, seen from asyncio."""

    def __init__(self) -> None:
        """Only ``open_portal`` makes these."""
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.create_future()
        self._ended = self._loop.create_future()
        """Holds the outcome of trio's loop."""
        self._ended.add_done_callback(lambda _: _set(self._started, None))  # it may never start
        self._token: trio.lowlevel.TrioToken | None = None
        self._tasks: trio.Nursery

    async def call(self, function: Callable[[], Awaitable[T]]) -> T:
        """Await an async function of trio's; cancelling here cancels it there, and waits for its end.

        Raises:
          NoLongerOpen: the portal was closed before there was an answer; nothing runs in it any more.
        """
        ended = self._loop.create_future()
        cancel = self._start(function, ended)
        return await self._unwrapped(await _or_cancel(ended, cancel))

    async def ask(self, function: Callable[[], T]) -> T:
        """Return what a function returns that is called in trio's thread, and is quick.

        Raises:
          NoLongerOpen: as ``call``.
        """

        async def asked() -> T:
            return function()

        return await self.call(asked)

    def ask_at_once(self, function: Callable[[], T]) -> T:
        """Return what a function returns that is called in trio's thread, and is quick; wait without asyncio.

        Any thread but trio's may ask.  Of a portal that was closed, the function is called where it is asked
        for: nothing runs beside it any more.
        """
        answers: queue.SimpleQueue[outcome.Outcome[T]] = queue.SimpleQueue()
        if self._soon(lambda: answers.put(outcome.capture(function))):
            return answers.get().unwrap()
        return function()

    @asynccontextmanager
    async def held(self, make: Callable[[], AbstractAsyncContextManager[T]]) -> AsyncIterator[T]:
        """Hold a context manager of trio's open.

        Where it breaks, the block here is cancelled, and leaving it raises what was raised there.  Where the
        portal is closed meanwhile, the context manager is left and the block here goes on.

        Raises:
          NoLongerOpen: the portal was closed before it was entered.
        """
        entered, ended = self._loop.create_future(), self._loop.create_future()
        leave = trio.Event()

        async def hold() -> None:
            async with make() as value:
                self._tell(entered, outcome.Value(value))
                await leave.wait()

        cancel = self._start(hold, ended)
        ended.add_done_callback(lambda _: _set(entered, ended.result()))  # it may never be entered
        try:
            value: T = await self._unwrapped(await _or_cancel(entered, cancel))
            with _cancelled_by(ended):
                yield value
        finally:
            self._soon(leave.set)
            how: outcome.Outcome[None] | None = await _despite_cancelling(ended)
        if how is not None:
            how.unwrap()

    def _start(self, function: Callable[[], Awaitable[Any]], ended: asyncio.Future[Any]) -> Callable[[], Any]:
        """Start a task that tells how it ended, or None where it was cancelled; return what cancels it."""
        scope = trio.CancelScope()

        async def task() -> None:
            how: outcome.Outcome[Any] | None = None
            try:
                with scope:
                    try:
                        how = outcome.Value(await function())
                    except Exception as error:  # noqa: BLE001 - it is raised where it was asked for
                        how = outcome.Error(error)
            finally:
                self._tell(ended, how)

        def begin() -> None:
            try:
                self._tasks.start_soon(task)
            except RuntimeError:  # the nursery takes no more: the portal is being closed
                self._tell(ended, None)

        if not self._soon(begin):
            ended.set_result(None)
        return lambda: self._soon(scope.cancel)

    async def _unwrapped(self, how: outcome.Outcome[T] | None) -> T:
        if how is None:
            await self._told()
            raise NoLongerOpen("the run is no longer open: ask it within the block that opens it.")
        return how.unwrap()

    async def _told(self) -> None:
        """Wait for the end of trio's loop, and then for those who were to hear of it before.

        The task that holds the portal is cancelled by that, and raises why trio ended instead of going on.
        """
        told = self._loop.create_future()
        self._ended.add_done_callback(lambda _: _set(told, None))
        await told

    def _live(self) -> None:
        """Be the thread."""
        self._tell(self._ended, outcome.capture(trio.run, self._run))

    async def _run(self) -> None:
        async with trio.open_nursery() as nursery:
            self._token, self._tasks = trio.lowlevel.current_trio_token(), nursery
            self._tell(self._started, None)
            await trio.sleep_forever()

    def _soon(self, act: Callable[[], Any]) -> bool:
        """Let trio's thread do something; say whether there still is one."""
        try:
            if self._token is not None:
                self._token.run_sync_soon(act)
        except trio.RunFinishedError:
            return False
        return self._token is not None

    def _tell(self, future: asyncio.Future[Any], value: Any) -> None:
        with contextlib.suppress(RuntimeError):  # asyncio's loop was closed: nobody is there to be told
            self._loop.call_soon_threadsafe(_set, future, value)


@asynccontextmanager
async def open_portal() -> AsyncIterator[Portal]:
    """Start a thread that runs trio; it has ended when this is left.

    Raises:
      OSError: trio finds no room for its loop, say no file descriptor.
    """
    portal = Portal()
    thread = threading.Thread(target=portal._live, name="exmc_actors trio")
    # Not by a thread of asyncio's, to join it: the host may hold all of them.
    portal._ended.add_done_callback(lambda _: thread.join())
    thread.start()
    try:
        await _despite_cancelling(portal._started)
        if not portal._ended.done():
            with _cancelled_by(portal._ended):
                yield portal
    finally:
        portal._soon(lambda: portal._tasks.cancel_scope.cancel())
        how: outcome.Outcome[None] = await _despite_cancelling(portal._ended)
    how.unwrap()


def _set(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)


async def _or_cancel(future: asyncio.Future[Any], cancel: Callable[[], Any]) -> Any:
    """Wait for a future; when cancelled, cancel what it waits for and wait on."""
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        cancel()
        await _despite_cancelling(future)
        raise


async def _despite_cancelling(future: asyncio.Future[Any]) -> Any:
    """Wait for a future to the end; raise only then what came meanwhile."""
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return future.result()


@contextmanager
def _cancelled_by(ended: asyncio.Future[Any]) -> Iterator[None]:
    """Cancel the task in this block when a future holds an error, and end the block quietly then."""
    task = asyncio.current_task()
    assert task is not None
    before, state = task.cancelling(), {"is inside": True, "was cancelled": False}

    def cancel(_: object) -> None:
        if state["is inside"] and isinstance(ended.result(), outcome.Error):
            state["was cancelled"] = True
            task.cancel()

    ended.add_done_callback(cancel)
    try:
        yield
    except asyncio.CancelledError:
        if not state["was cancelled"] or task.cancelling() - 1 > before:
            raise
    finally:
        state["is inside"] = False
        ended.remove_done_callback(cancel)
        if state["was cancelled"]:  # whatever the block has made of it
            task.uncancel()
