"""Run an async function to its end from synchronous code, in a thread of its own where a loop is running."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import outcome
import trio


def blocking(main: Callable[[], Awaitable[Any]]) -> Any:
    """Run ``main`` under trio and return what it returns.

    A notebook's thread, or a callback of another program, may have an event loop running; then trio gets
    a thread of its own, which has ended when this returns.

    Raises:
      KeyboardInterrupt: on Ctrl-C, when everything that was started has stopped.  Under ``asyncio.run`` the
        first Ctrl-C is asyncio's own, which waits for its loop; the second one comes here.
    """
    if not _is_in_event_loop():
        # At checkpoints of ``main`` only: raised wherever the signal finds the program, an interrupt may
        # come in a destructor or a callback of JAX's, where Python prints it and goes on.
        return trio.run(main, restrict_keyboard_interrupt_to_checkpoints=True)
    return _Thread(main).wait()


def _is_in_event_loop() -> bool:
    if trio.lowlevel.in_trio_run():
        return True
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class _Thread:
    """A trio run in a thread, which Ctrl-C in the waiting thread cancels."""

    def __init__(self, main: Callable[[], Awaitable[Any]]) -> None:
        self._main = main
        self._is_cancelled = False
        self._ended = threading.Event()
        self._cancel: Callable[[], None] = lambda: None
        self._outcome: outcome.Outcome[Any] | None = None
        self._thread = threading.Thread(target=self._run, name="exmc_actors.sample")

    def wait(self) -> Any:
        try:
            self._thread.start()
            self._thread.join()
        except KeyboardInterrupt:
            # First the flag, then the call: a run that has not begun sees the one, a run that has, the other.
            self._is_cancelled = True
            with contextlib.suppress(trio.RunFinishedError):
                self._cancel()
            # Not by join alone: once interrupted, it takes a thread for ended on Python 3.11.
            self._ended.wait()
            self._thread.join()
            raise
        assert self._outcome is not None
        return self._outcome.unwrap()

    def _run(self) -> None:
        try:
            self._outcome = outcome.capture(trio.run, self._cancellable)
        finally:
            self._ended.set()

    async def _cancellable(self) -> Any:
        token = trio.lowlevel.current_trio_token()
        with trio.CancelScope() as scope:
            self._cancel = lambda: token.run_sync_soon(scope.cancel)
            if self._is_cancelled:
                scope.cancel()
            return await self._main()
