"""Run the tasks that a process has beside its program, and end them before the process ends.

They live in the nursery that the process itself lives in, for a nursery of its own would double the price
of a process. Nothing around them can cancel them, only their process can.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import trio
from trio.lowlevel import disable_ki_protection, enable_ki_protection


class Background:
    """The tasks beside one program."""

    __slots__ = ("_alone", "_guard", "_home", "_is_over", "_label", "_scopes")

    def __init__(self, home: trio.Nursery, guard: Callable[..., Awaitable[object]], label: str) -> None:
        """Start without tasks.

        Args:
          home: the nursery of the process.
          guard: runs a function so that its crash is the crash of the process.
          label: the process, for people.
        """
        self._home = home
        self._guard = guard
        self._label = label
        self._scopes: dict[trio.CancelScope, None] = {}
        self._alone: trio.Event | None = None
        self._is_over = False

    @enable_ki_protection
    def start(self, function: Callable[..., Awaitable[object]], *args: Any, name: str) -> trio.CancelScope:
        """Start a task; return what cancels it alone. In a process that ends, it is cancelled at once."""
        scope = trio.CancelScope(shield=True)
        self._scopes[scope] = None
        if self._is_over:
            scope.cancel(reason=f"{self._label} ends")
        self._home.start_soon(self._run, scope, function, args, name=f"{self._label}: {name}")
        return scope

    def cancel(self) -> None:
        """Cancel all tasks."""
        for scope in self._scopes:
            scope.cancel(reason=f"{self._label} ends")

    async def end(self) -> None:
        """Cancel all tasks and wait for their ends; a worker thread in one of them is waited for, too."""
        self._is_over = True
        if self._scopes:
            self._alone = trio.Event()
            self.cancel()
            with trio.CancelScope(shield=True):
                await self._alone.wait()

    @enable_ki_protection
    async def _run(
        self, scope: trio.CancelScope, function: Callable[..., Awaitable[object]], args: tuple[Any, ...]
    ) -> None:
        try:
            with scope:
                await self._guard(_interruptible, function, args)
        finally:
            del self._scopes[scope]
            if self._alone is not None and not self._scopes:
                self._alone.set()


@disable_ki_protection
async def _interruptible(function: Callable[..., Awaitable[object]], args: tuple[Any, ...]) -> None:
    await function(*args)
