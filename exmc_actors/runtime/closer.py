"""Close the books of a run whose engine has ended for good, so that nobody waits for a chain that is gone."""

import trio

import supervision as sv
from exmc_actors.runtime.feed import Feed

_RESTARTING = 0.01
"""Seconds between two looks at an engine that is being restarted."""


async def closer(engine: sv.Ref, feed: Feed) -> None:
    """Wait for the engine's last end; chains that have not ended by then have failed.

    An abnormal end is not the last one: the engine is started again.
    """
    # There is nothing to wait for between two incarnations but time.
    while (reason := await engine.wait_exited()).is_abnormal:  # noqa: ASYNC110
        await trio.sleep(_RESTARTING)
    detail = reason.detail if isinstance(reason, sv.Shutdown) else None
    # The chains were only told to end; that one of the actors below them could not be healed is why.
    feed.log.abandon(str(reason), str(detail) if isinstance(detail, sv.GaveUp) else None)
    feed.wake()
