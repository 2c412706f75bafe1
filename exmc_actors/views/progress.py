"""Show how far the chains of a run are: a live table in a terminal, a line now and then elsewhere.

Both subscribe with ``DROP_OLDEST``: however slow the terminal is, no chain waits for it. The positions that
they show are right all the same; divergences may be more than were seen, and ``≥`` or ``at least`` says so.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import trio
from rich.console import Console
from rich.live import Live

from exmc_actors.messages import DROP_OLDEST
from exmc_actors.views.progress_table import ASCII, BLOCKS, ProgressTable
from exmc_actors.views.subscribing import Subscribe
from exmc_actors.views.tally import Tally, Totals

CAPACITY = 256
"""Messages that may wait; enough for a second of many chains, so that hardly any is missed."""

REFRESH = 0.1
"""Seconds between two drawings at least."""


class View(Protocol):
    """Shows a run until its subscription ends."""

    async def __call__(self, subscribe: Subscribe, *, chains: int, draws: int, tune: int) -> None:
        """Show the chains that ``subscribe`` tells of, each of ``tune`` and ``draws`` transitions."""
        ...


def progress_view(console: Console) -> View:
    """Return the live table where the console can move its cursor, plain lines where it cannot."""
    # The console alone takes a file for a terminal where FORCE_COLOR is set, as in many a build.
    is_screen = getattr(console.file, "isatty", lambda: False)()
    if is_screen and console.is_interactive:
        return partial(progress, console=console)
    return partial(plain_progress, write=partial(console.out, highlight=False))


async def progress(subscribe: Subscribe, *, chains: int, draws: int, tune: int, console: Console) -> None:
    """Keep a table of the chains on a terminal, and leave its last state there.

    Drawing happens in a worker thread, one at a time: a terminal that is stopped (Ctrl-S) or far away holds
    up the view and nothing else.

    Args:
        subscribe: opens a subscription to the run.
        chains: how many there are at first.
        draws: wanted of each chain after warmup.
        tune: transitions of warmup before them.
        console: a terminal.
    """
    tally = Tally(chains=chains, draws=draws, tune=tune)
    began = trio.current_time()

    def picture() -> None:
        live.update(_table(console, tally).render(tally.rows(), trio.current_time() - began, tally.paused))

    with Live(console=console, auto_refresh=False) as live:
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_redraw, live, picture)
                await _observe(subscribe, tally)
                nursery.cancel_scope.cancel()
        finally:
            # Leaving the block draws once more, also where the run was cancelled.
            picture()


async def plain_progress(
    subscribe: Subscribe,
    *,
    chains: int,
    draws: int,
    tune: int,
    write: Callable[[str], object],
    every: float = 5.0,
) -> None:
    """Write one line every few seconds, and one at the end.

    Args:
        subscribe: opens a subscription to the run.
        chains: how many there are at first.
        draws: wanted of each chain after warmup.
        tune: transitions of warmup before them.
        write: takes one line without its end.
        every: seconds between two lines.
    """
    tally = Tally(chains=chains, draws=draws, tune=tune)
    began = trio.current_time()
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_write_lines, tally, write, every)
            await _observe(subscribe, tally)
            nursery.cancel_scope.cancel()
    finally:
        write(last_line(tally.totals(), tally.chains, trio.current_time() - began))


def line(totals: Totals, chains: int) -> str:
    """Return where a run stands, in one line."""
    phase = "warmup" if totals.phase == "warmup" else "sampling"
    late = f" ({totals.in_warmup} in warmup)" if totals.in_warmup and phase == "sampling" else ""
    paused = f"paused ({totals.paused}), " if totals.paused else ""
    share = f"{totals.done}/{totals.wanted} draws"
    return f"{paused}{phase}: {share}, {_counted(chains, 'chain')}{late}, {_events(totals)}"


def last_line(totals: Totals, chains: int, elapsed: float) -> str:
    """Return how a run ended, in one line."""
    ended = totals.finished + totals.failed + totals.stopped == chains and totals.stopped < chains
    verb = "stopped" if not ended else "failed" if totals.failed == chains else "finished"
    during = " of warmup" if totals.phase == "warmup" else ""
    share = f"{totals.done}/{totals.wanted} draws{during}"
    return f"{verb}: {share}, {_counted(chains, 'chain')}, {_events(totals)}, {elapsed:.1f} s"


async def _observe(subscribe: Subscribe, tally: Tally) -> None:
    # From the start: of a run that goes on, the last blocks of each chain are there already.
    async with subscribe(overflow=DROP_OLDEST, capacity=CAPACITY, from_start=True) as feed:
        async for message in feed:
            tally.observe(message, trio.current_time())


async def _redraw(live: Live, picture: Callable[[], None]) -> None:
    limiter = trio.CapacityLimiter(1)
    while True:
        picture()
        await trio.to_thread.run_sync(live.refresh, limiter=limiter)
        await trio.sleep(REFRESH)


def _table(console: Console, tally: Tally) -> ProgressTable:
    marks = BLOCKS if console.encoding.startswith("utf") and not console.legacy_windows else ASCII
    width, height = console.size
    return ProgressTable(draws=tally.draws, tune=tally.tune, width=width, height=height, marks=marks)


async def _write_lines(tally: Tally, write: Callable[[str], object], every: float) -> None:
    while True:
        await trio.sleep(every)
        write(line(tally.totals(), tally.chains))


def _events(totals: Totals) -> str:
    least = "at least " if totals.missed else ""
    words = [least + _counted(totals.divergences, "divergence")]
    if totals.restarts:
        words.append(_counted(totals.restarts, "restart"))
    if totals.failed:
        words.append(f"{_counted(totals.failed, 'chain')} gave up")
    if totals.stopped:
        words.append(f"{_counted(totals.stopped, 'chain')} stopped by the user")
    return ", ".join(words)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
