"""Run trio in a thread for an asyncio program: call into it, hold context managers open, cancel both ways.

It knows nothing of runs.  A portal is one thread and one trio loop; what is asked of it becomes a task there.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, TypeVar

import outcome
import trio

T = TypeVar("T")


class Portal:
    """A trio loop in a thread, seen from asyncio."""

    def __init__(self) -> None:
        """Only ``open_portal`` makes these."""
        self._loop = asyncio.get_running_loop()
        self._started = threading.Event()
        self._token: trio.lowlevel.TrioToken
        self._tasks: trio.Nursery

    async def call(self, function: Callable[[], Awaitable[T]]) -> T:
        """Await an async function of trio's; cancelling here cancels it there, and waits for its end."""
        ended = self._loop.create_future()
        cancel = self._start(function, ended)
        value: T = _unwrapped(await _or_cancel(ended, cancel))
        return value

    async def do(self, function: Callable[[], T]) -> T:
        """Call a plain function in trio's thread, between two steps of what is going on there."""

        async def done() -> T:
            return function()

        return await self.call(done)

    @asynccontextmanager
    async def held(self, make: Callable[[], AbstractAsyncContextManager[T]]) -> AsyncIterator[T]:
        """Hold a context manager of trio's open.

        Where it breaks, the block here is cancelled, and leaving it raises what was raised there.
        """
        entered, ended = self._loop.create_future(), self._loop.create_future()
        leave = trio.Event()

        async def hold() -> None:
            async with make() as value:
                self._tell(entered, outcome.Value(value))
                await leave.wait()

        cancel = self._start(hold, ended)
        ended.add_done_callback(lambda _: _set(entered, ended.result()))  # it may never be entered
        value: T = _unwrapped(await _or_cancel(entered, cancel))
        try:
            with _cancelled_by(ended):
                yield value
        finally:
            self._soon(leave.set)
            how = await _despite_cancelling(ended)
        _unwrapped(how)

    def _start(
        self, function: Callable[[], Awaitable[Any]], ended: asyncio.Future[Any]
    ) -> Callable[[], None]:
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

        self._soon(lambda: self._tasks.start_soon(task))
        return lambda: self._soon(scope.cancel)

    async def _run(self) -> None:
        async with trio.open_nursery() as nursery:
            self._token, self._tasks = trio.lowlevel.current_trio_token(), nursery
            self._started.set()
            await trio.sleep_forever()

    def _soon(self, act: Callable[[], Any]) -> None:
        self._token.run_sync_soon(act)

    def _tell(self, future: asyncio.Future[Any], value: Any) -> None:
        self._loop.call_soon_threadsafe(_set, future, value)


@asynccontextmanager
async def open_portal() -> AsyncIterator[Portal]:
    """Start a thread that runs trio; it has ended when this is left."""
    portal = Portal()
    thread = threading.Thread(target=trio.run, args=(portal._run,), name="exmc_actors trio")
    thread.start()
    portal._started.wait()  # a millisecond
    try:
        yield portal
    finally:
        portal._soon(lambda: portal._tasks.cancel_scope.cancel())
        await _despite_cancelling(asyncio.ensure_future(asyncio.to_thread(thread.join)))


def _set(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)


def _unwrapped(how: outcome.Outcome[T] | None) -> T:
    if how is None:
        raise asyncio.CancelledError
    return how.unwrap()


async def _or_cancel(future: asyncio.Future[Any], cancel: Callable[[], None]) -> Any:
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
    """Cancel the task in this block when a future is done, and end the block quietly then."""
    task = asyncio.current_task()
    assert task is not None
    before, state = task.cancelling(), {"is inside": True, "was cancelled": False}

    def cancel(_: object) -> None:
        if state["is inside"]:
            state["was cancelled"] = True
            task.cancel()

    ended.add_done_callback(cancel)
    try:
        yield
    except asyncio.CancelledError:
        if not state["was cancelled"] or task.uncancel() > before:
            raise
    finally:
        state["is inside"] = False
        ended.remove_done_callback(cancel)
