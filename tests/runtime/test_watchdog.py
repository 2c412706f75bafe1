"""A block that takes far longer than foretold is told of, under virtual time; nothing else changes."""

import math

import pytest
import trio
import trio.testing

from exmc_actors.messages import ChainStalled
from exmc_actors.runtime import inline
from exmc_actors.runtime.watchdog import LEAST, UNKNOWN, Watchdog
from tests.runtime.conftest import draws_of, observe, virtual


def watched(foretold, took, chains=(3,)):
    """Watch one call that takes so long, and return what is told of it, and when."""
    told = []

    async def main():
        watchdog = Watchdog(lambda chain, seconds: told.append((trio.current_time(), chain, seconds)))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watchdog.watch)
            await trio.testing.wait_all_tasks_blocked()
            began = trio.current_time()
            with watchdog.over(chains, foretold):
                await trio.sleep(took)
            await trio.sleep(10 * took)
            nursery.cancel_scope.cancel()
        return [(when - began, chain, seconds) for when, chain, seconds in told]

    return virtual(main)


@pytest.mark.parametrize(
    ("foretold", "limit"), [(0.05, LEAST), (3.0, LEAST), (10.0, 200.0), (math.inf, UNKNOWN)]
)
def test_a_call_is_told_of_once_it_takes_far_longer_than_was_foretold(foretold, limit):
    assert watched(foretold, limit - 2.0) == []
    ((when, chain, seconds),) = watched(foretold, limit + 2.0)
    assert chain == 3
    assert limit <= seconds <= limit + 1.0
    assert seconds == pytest.approx(when)


def test_it_is_told_of_again_whenever_its_seconds_have_doubled():
    assert [round(seconds) for _, _, seconds in watched(0.0, 500.0)] == [60, 120, 240, 480]


def test_every_chain_of_a_call_is_told_of():
    assert [chain for _, chain, _ in watched(0.0, 70.0, chains=(0, 4))] == [0, 4]


def test_a_call_ends_when_its_thread_says_so_however_late_the_loop_hears_of_it():
    told = []

    async def main():
        watchdog = Watchdog(lambda chain, seconds: told.append(seconds))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watchdog.watch)
            with watchdog.over((0,), 0.0, waits=True) as call:
                await trio.sleep(1000.0)  # for a core
                call.timed(lambda: None)()
                await trio.sleep(1000.0)
            nursery.cancel_scope.cancel()
        return call.took()

    assert virtual(main) == 0.0
    assert told == []


def test_a_chain_that_stalls_is_named_and_its_draws_stay(undisturbed):
    calls, at_the_time = [], []

    async def slow(function, *, seconds=math.inf):
        if getattr(getattr(function, "func", None), "__name__", "") == "_compute":
            calls.append(function)
            if len(calls) == 12:  # a block of some chain
                await trio.sleep(100.0)
        return await inline(function)

    async def look(run):
        async with run.subscribe() as feed:
            async for message in feed:
                if isinstance(message, ChainStalled):
                    at_the_time.extend(run.statistics().chains)

    seen = virtual(lambda: observe(meddle=look, runner=slow, save_warmup=True, cores=1))
    assert draws_of(seen.tree) == undisturbed
    (stalled,) = [message for message in seen.messages if isinstance(message, ChainStalled)]
    assert 60.0 <= stalled.seconds <= 62.0
    (chain,) = [one for one in at_the_time if one.stalled is not None]
    assert (chain.chain, chain.phase, chain.index) == (stalled.chain, stalled.phase, stalled.first)
    assert chain.stalled == stalled.seconds
    assert [one.stalled for one in seen.statistics.chains] == [None] * 3
