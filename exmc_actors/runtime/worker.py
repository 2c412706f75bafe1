"""Run blocking computations for actors; what they raise comes back as a value.

The threads of a run are started here, for whatever is not quick, and in cores.py, for its blocks.  It waits
for them, whatever happens, but for those that compile: what they make is the process's.
Tests inject ``inline``, because trio's virtual clock does not wait for threads.
"""

import contextlib
import math
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

import trio

from exmc_actors.runtime.protocol import BlockFailed

T = TypeVar("T")

QUICK = 1e-3
"""Seconds for which a computation may keep the event loop waiting."""

DISK_SPEED = 1e8
"""Bytes a second that are packed and written, or read and unpacked, with much to spare."""


class Runner(Protocol):
    """Whoever runs a blocking function for an actor."""

    def __call__(
        self, function: Callable[[], T], /, *, seconds: float = math.inf, outlives: bool = False
    ) -> Awaitable[T]:
        """Return what the function returns; raise what it raises.

        Args:
          function: what to run.
          seconds: how long it is expected to take.
          outlives: whether it belongs to the process: who is cancelled leaves at once, and it goes on.
        """


async def in_thread(function: Callable[[], T], *, seconds: float = math.inf, outlives: bool = False) -> T:
    """Run in a worker thread and wait for it, even when cancelled: a running block cannot be stopped.

    What is expected to be quick runs where it is, without a checkpoint: a thread's answer takes half as long.
    """
    if outlives:
        return await _in_thread_of_the_process(function)
    if seconds < QUICK:
        return function()
    # A limit of its own: trio's default is shared with the host, who may hold all of it.  How many run at
    # once is for the caller to say.
    return await trio.to_thread.run_sync(function, limiter=trio.CapacityLimiter(1))


async def _in_thread_of_the_process(function: Callable[[], T]) -> T:
    """Run in a thread that nobody has to wait for but the interpreter, before it ends.

    A thread of trio's would be torn away then, in the midst of a compiler that aborts the process for it.
    """
    ended, loop = trio.Event(), trio.lowlevel.current_trio_token()

    def tell(_: object) -> None:
        with contextlib.suppress(trio.RunFinishedError):  # nobody waits any more
            loop.run_sync_soon(ended.set)

    thread = ThreadPoolExecutor(1, thread_name_prefix="exmc_actors of the process")
    running = thread.submit(function)
    running.add_done_callback(tell)
    thread.shutdown(wait=False)
    await ended.wait()
    return running.result()


async def inline(function: Callable[[], T], *, seconds: float = 0.0, outlives: bool = False) -> T:
    """Run on the event loop's own thread: what is quick, and everything in tests."""
    await trio.lowlevel.checkpoint()
    return function()


async def attempt(runner: Runner, function: Callable[[], Any], *, seconds: float = math.inf) -> Any:
    """Run a computation; return what it returns, or ``BlockFailed`` with what it raised.

    One poisoned chain must not take the model server down, so that an error is a reply here.
    """
    try:
        return await runner(function, seconds=seconds)
    except Exception as error:  # noqa: BLE001 - a worker's main: see tests/test_house.py
        return BlockFailed(error)
