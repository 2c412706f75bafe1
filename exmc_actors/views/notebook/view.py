"""Keep a picture of a run up to date: a subscriber that hands one out some four times a second.

It subscribes with ``DROP_OLDEST``, and at most so much of what it has read waits to be looked at: however
slow whoever shows the pictures is, no chain waits for it and no memory grows.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import trio

from exmc_actors.messages import DROP_OLDEST, Message
from exmc_actors.views.notebook.followed import Followed, affordable
from exmc_actors.views.notebook.page import html, text
from exmc_actors.views.notebook.picture import picture
from exmc_actors.views.subscribing import Subscribe
from exmc_actors.views.tally import Tally

CAPACITY = 1024
"""Messages that may wait: some ten seconds of four chains."""

REFRESH = 0.25
"""Seconds between two pictures at least."""

SECONDS, LAST_SECONDS = 0.05, 0.5
"""What it may take to follow draws for a picture, and for the last one, which skips those before."""

SHARE = 0.1
"""Of the time, that at most goes into pictures; where they take longer, they become fewer."""

LONGEST = 5.0
"""Seconds of rest, however long a picture took."""

Show = Callable[[str, str], object]
"""Takes a picture as HTML and as one line of text; it may block."""


async def _in_thread(function: Callable[[], object]) -> None:
    await trio.to_thread.run_sync(function, limiter=trio.CapacityLimiter(1))


async def notebook_progress(  # noqa: PLR0913 - a view's words, keyword-only
    subscribe: Subscribe,
    *,
    chains: int,
    draws: int,
    tune: int,
    show: Show,
    dims: Mapping[str, Sequence[str]] = MappingProxyType({}),
    coords: Mapping[str, Any] = MappingProxyType({}),
    var_names: Collection[str] | None = None,
    runner: Callable[[Callable[[], object]], Awaitable[object]] = _in_thread,
) -> None:
    """Show a run until it ends, and leave its last state, also where it is cancelled.

    Args:
        subscribe: opens a subscription to the run.
        chains: how many there are.
        draws: wanted of each chain after warmup.
        tune: transitions of warmup before them.
        show: is called in a worker thread, one call at a time.
        dims: names of a variable's axes, where they have labels.
        coords: labels by name of dimension.
        var_names: variables to show; None means all.
        runner: runs what takes a while.
    """
    followed = Followed(chains, dims, coords, var_names)
    watched = _Watched(Tally(chains=chains, draws=draws, tune=tune), followed, show)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_redraw, watched, runner)
            await _observe(subscribe, watched)
            nursery.cancel_scope.cancel()
    finally:
        # What it takes is bounded, and without it a saved notebook would show a run that never ended.
        with trio.CancelScope(shield=True):
            await runner(partial(watched.draw, watched.elapsed(), is_over=True))


class _Watched:
    """What was read of a run, and, in whatever thread draws, what is known of it."""

    def __init__(self, tally: Tally, followed: Followed, show: Show) -> None:
        self._tally, self._followed, self._show = tally, followed, show
        self._began = trio.current_time()
        self._unread: deque[tuple[float, Message]] = deque(maxlen=CAPACITY)
        self._unfollowed: deque[Message] = deque(maxlen=CAPACITY)

    def elapsed(self) -> float:
        return trio.current_time() - self._began

    def read(self, message: Message) -> None:
        self._unread.append((trio.current_time(), message))

    def draw(self, elapsed: float, *, is_over: bool = False) -> None:
        # What is there now: a fast run brings more for as long as one looks.
        read = [self._unread.popleft() for _ in range(len(self._unread))]
        for now, message in read:
            self._tally.observe(message, now)
        self._unfollowed.extend(message for _, message in read)
        if is_over:
            last = affordable(reversed(self._unfollowed), LAST_SECONDS)
            self._unfollowed = deque(reversed(last))
        for message in affordable(self._unfollowed, LAST_SECONDS if is_over else SECONDS):
            self._unfollowed.popleft()
            self._followed.observe(message)
        tally = self._tally
        now_known = picture(
            tally.rows(),
            self._followed,
            draws=tally.draws,
            tune=tally.tune,
            elapsed=elapsed,
            is_over=is_over,
            paused=tally.paused,
        )
        self._show(html(now_known), text(now_known))


async def _observe(subscribe: Subscribe, watched: _Watched) -> None:
    # From the start: of a run that goes on, the last blocks of each chain are there already.
    async with subscribe(overflow=DROP_OLDEST, capacity=CAPACITY, from_start=True) as feed:
        async for message in feed:
            watched.read(message)


async def _redraw(watched: _Watched, runner: Callable[[Callable[[], object]], Awaitable[object]]) -> None:
    while True:
        began = trio.current_time()
        await runner(partial(watched.draw, watched.elapsed()))
        took = trio.current_time() - began
        await trio.sleep(max(REFRESH, min(LONGEST, took * (1 / SHARE - 1))))
