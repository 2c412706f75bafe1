"""The same runs for asyncio programs: ``async with exmc_actors.asyncio.open_run(...) as run``.

Trio runs in a thread of its own for as long as the run, or the runtime, is open; what is awaited here is
awaited there.  Cancelling works both ways: a task that is cancelled here stops what it waits for there, and a
run that breaks cancels the block that holds it, which then raises ``RunFailed``.
"""

from exmc_actors.asyncio.remote import RemoteRun, connect
from exmc_actors.asyncio.run import Run, Subscription, Summaries, open_run
from exmc_actors.asyncio.runtime import HeldRun, Runtime, open_runtime

__all__ = [
    "HeldRun",
    "RemoteRun",
    "Run",
    "Runtime",
    "Subscription",
    "Summaries",
    "connect",
    "open_run",
    "open_runtime",
]
