"""Notice calls that take far longer than was foretold, and tell of their chains; it stops nothing.

It looks once a second, while anything is computed.  No draw depends on what it finds.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import trio

T = TypeVar("T")

LEAST = 60.0
"""Seconds; before them nothing is said."""
TIMES = 20.0
"""What was foretold may be exceeded so many times: early in warmup a transition may be that much longer."""
UNKNOWN = 600.0
"""Seconds before something is said of a call of which nothing could be foretold, as of a program's first."""
_EVERY = 1.0
"""Seconds between two looks."""


@dataclass(eq=False, slots=True)
class Call:
    """A call under way, or one that waits for a core."""

    chains: Sequence[int]
    limit: float
    """Seconds after which something is said."""
    clock: trio.abc.Clock
    began: float = math.inf
    ended: float | None = None

    def begin(self) -> None:
        """Count from now on."""
        self.began = self.clock.current_time()

    def took(self) -> float:
        """Return for how many seconds it has been, or was, under way: less than none, if it waits."""
        return (self.clock.current_time() if self.ended is None else self.ended) - self.began

    def timed(self, function: Callable[[], T]) -> Callable[[], T]:
        """Return the function, which says when it begins and ends: the loop may hear of it much later."""

        def call() -> T:
            self.begin()
            try:
                return function()
            finally:
                self.ended = self.clock.current_time()

        return call


class Watchdog:
    """Watches calls in the event loop in which they are awaited."""

    def __init__(self, tell: Callable[[int, float], None]) -> None:
        """Watch nothing yet.

        Args:
          tell: is given a chain and how many seconds its call has taken, again whenever they have doubled.
        """
        self._tell = tell
        self._calls: set[Call] = set()
        self._begun = trio.lowlevel.ParkingLot()

    @contextmanager
    def over(self, chains: Sequence[int], foretold: float, *, waits: bool = False) -> Iterator[Call]:
        """Watch a call from here to the end of the block.

        Args:
          chains: for which it is made.
          foretold: seconds that it should take; infinite where nothing is known.
          waits: whether it says by itself when it begins.
        """
        limit = max(LEAST, TIMES * foretold) if math.isfinite(foretold) else UNKNOWN
        call = Call(chains, limit, trio.lowlevel.current_clock())
        if not waits:
            call.begin()
        self._calls.add(call)
        self._begun.unpark_all()
        try:
            yield call
        finally:
            self._calls.discard(call)

    async def watch(self) -> None:
        """Look at the calls, for ever."""
        while True:
            while not self._calls:
                await self._begun.park()
            await trio.sleep(_EVERY)
            self._look()

    def _look(self) -> None:
        for call in self._calls:
            took = call.took()
            if took >= call.limit:
                call.limit = 2.0 * took
                for chain in call.chains:
                    self._tell(chain, took)
