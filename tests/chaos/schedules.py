"""Carry a schedule of faults out under virtual time, and judge what came of it.

Whatever it holds, what is committed must be the beginning of what the same run commits when nothing happens
to it, and all of that unless the schedule says why not.
"""

import contextlib
import random
import warnings
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import trio

import exmc_actors as ex
import supervision as sv
from exmc_actors import faults as of
from exmc_actors.messages import ChainFailed, DrawBlock
from exmc_actors.opening import open_run
from exmc_actors.runtime import request
from exmc_actors.runtime.journal import journal
from tests.chaos.drawing import Schedule, Sitting, What
from tests.chaos.seen import Seen, name_of, rows
from tests.runtime.conftest import FixedBlocks, schools, virtual

SEED = 17
RULE = ex.Converged(rhat=50.0, ess=1)
LONG = 1e6
"""Virtual seconds after which whoever still waits will wait for ever."""


class Slowly:
    """Compute inline, in as much virtual time as a seed says."""

    def __init__(self, seed: int, longest: float) -> None:
        self._chance = random.Random(seed)
        self._longest = longest

    async def __call__(self, function, **_):
        await trio.sleep(self._chance.uniform(0.0, self._longest) if self._longest else 0.0)
        return function()


@contextlib.contextmanager
def the_same_each_time(schedule: Schedule):
    """Let trio choose among its tasks by the seed, and the model server by no clock."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trio._core._run, "_ALLOW_DETERMINISTIC_SCHEDULING", True)
        patch.setattr(trio._core._run, "_r", random.Random(schedule.seed))
        patch.setattr(request, "GATHERED", schedule.gathered)
        patch.setattr(request, "QUICK", schedule.quick)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ex.StoreWarning)
            yield


def carry_out(schedule: Schedule, folder: Path) -> None:
    """Carry a schedule out and judge it.

    Raises:
      AssertionError: what came of it is neither right nor refused for a reason.
    """
    injected = of.Faults(*schedule.faults)
    sittings = [*schedule.sittings]
    if schedule.is_stored:
        sittings.append(Sitting())  # at last, nobody ends it
    refused = damaged = 0
    with the_same_each_time(schedule):
        while sittings:
            sitting, before = sittings[0], len(injected.happened)
            seen = virtual(_sit, schedule, sitting, injected, folder)
            if is_refused(seen, injected.happened[before:]):
                refused += 1
                assert refused < 20
                continue
            if "head of the run" in str(seen.error) and damaged > 1:
                return  # it stands in two places
            judge(schedule, sitting, seen, is_last=len(sittings) == 1)
            if sitting.damage is not None and journal.holds_a_run(folder):
                of.damage(folder, sitting.damage)
                damaged += 1
            sittings.pop(0)


async def _sit(schedule: Schedule, sitting: Sitting, injected: of.Faults, folder: Path) -> Seen:
    seen, what = Seen(), schedule.what
    store = ex.Store(folder, schedule.sync_every, disk=injected.disk)
    begin = {"model": schools(), "draws": what.draws, "tune": what.tune, "chains": what.chains}
    begin |= {
        "ensemble": what.is_ensemble,
        "random_seed": SEED,
        "store": store if schedule.is_stored else None,
    }
    options = {"resume": store} if journal.holds_a_run(folder) else begin
    options |= {"stop": RULE} if what.is_judged else {}
    try:
        with trio.fail_after(LONG):
            async with open_run(
                **options,
                cores=schedule.cores,
                save_warmup=True,
                views=sitting.views,
                block_size=FixedBlocks(schedule.sizes, at_once=schedule.at_once),
                runner=Slowly(schedule.seed, schedule.longest),
                parts=injected,
            ) as run:
                await _live(run, sitting, seen)
    except ex.ExmcError as error:
        seen.error = error
    return seen


async def _live(run, sitting: Sitting, seen: Seen) -> None:
    """Be there while a run runs, with all that happens beside it."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_watch, run, seen)
        for at, path in sitting.kills:
            nursery.start_soon(_kill, run, at, path)
        for at, seconds in sitting.pauses:
            nursery.start_soon(_pause, run, at, seconds)
        for at, reader in sitting.joining:
            nursery.start_soon(_join, run, at, reader, seen)
        if sitting.ends is not None:
            nursery.start_soon(_end, run, *sitting.ends, seen, nursery.cancel_scope)
        try:
            seen.tree = await run.result()
        except ex.RunFailed as error:
            seen.error = error


async def _watch(run, seen: Seen) -> None:
    async with run.subscribe(overflow=ex.WAIT, from_start=True) as feed:
        async for message in feed:
            seen.messages.append(message)
    seen.is_complete = True


async def _kill(run, at: float, path: tuple[str, ...]) -> None:
    await trio.sleep(at)
    with contextlib.suppress(sv.ProcessExited):
        run.supervisor.child(*path).exit(sv.KILL)


async def _pause(run, at: float, seconds: float) -> None:
    await trio.sleep(at)
    await run.pause()
    await trio.sleep(seconds)
    await run.resume()


async def _join(run, at: float, reader: of.Reader, seen: Seen) -> None:
    @asynccontextmanager
    async def noting(**options):
        async with run.subscribe(**options) as feed:
            seen.starts[id(reader)] = feed.number
            yield feed

    await trio.sleep(at)
    with contextlib.suppress(of.InjectedError):
        await reader(noting)


async def _end(run, how: str, at: float, seen: Seen, scope: trio.CancelScope) -> None:
    await trio.sleep(at)
    seen.has_ended = True
    if how == "abort":
        await run.abort()
    else:
        scope.cancel()


# Judging it


def is_refused(seen: Seen, happened: list[of.Fault]) -> bool:
    """Whether a sitting was refused where it began, for a reason that was there: it may be tried again."""
    if isinstance(seen.error, ex.StoreError) and "head of the run" not in str(seen.error):
        assert any(isinstance(fault, of.WriteFails | of.SyncFails) for fault in happened), seen.error
        return True
    if seen.error is not None and "could not be started" in str(seen.error):
        assert any(isinstance(fault, of.RecorderDies | of.ServerDies | of.WakeRaises) for fault in happened)
        return True
    return False


def judge(schedule: Schedule, sitting: Sitting, seen: Seen, *, is_last: bool) -> None:
    """Compare a sitting with the run that nothing happens to."""
    whole = reference(schedule.what)
    # Where a rule ends a run, some chains have gone farther than it says.
    _judge_draws(reference(replace(schedule.what, is_judged=False)), seen)
    if seen.is_complete:
        for reader in [*sitting.views, *(reader for _, reader in sitting.joining)]:
            _judge_reader(reader, seen)
    if seen.has_ended:
        if seen.error is not None:
            assert isinstance(seen.error, ex.RunFailed)
        return
    if whole.error is not None:
        assert type(seen.error) is type(whole.error)
        assert "injected into chain" in str(seen.error)
        return
    assert seen.error is None, seen.error
    assert sorted(seen.tree.children) == sorted(whole.tree.children)
    for group in ("posterior", "sample_stats", "warmup_posterior", "failed_posterior"):
        if group in whole.tree:
            for name, array in whole.tree[group].data_vars.items():
                here = seen.tree[group][name].values
                if group != "failed_posterior":
                    assert here.tobytes() == array.values.tobytes(), (group, name)
    _judge_failures(schedule, seen)


def _judge_draws(whole: Seen, seen: Seen) -> None:
    """Every block is a part of the reference, and each chain's follow each other without a gap."""
    ends: dict[tuple[int, str], int] = {}
    for message in seen.messages:
        if not isinstance(message, DrawBlock):
            continue
        place = message.chain, message.phase
        assert message.first == ends.get(place, 0), place
        ends[place] = end = message.first + len(message)
        expected = rows(whole)[place]
        for name, array in [*message.draws.items(), *message.stats.items()]:
            assert array.tobytes() == expected[name][message.first : end].tobytes(), (
                place,
                message.first,
                name,
            )


def _judge_reader(reader: of.Reader, seen: Seen) -> None:
    if reader.statistics is None:  # it never came to subscribe
        return
    start = seen.starts.get(id(reader), 0)
    there, got = [name_of(one) for one in seen.messages[start:]], [name_of(one) for one in reader.seen]
    assert reader.statistics.delivered == len(got)
    if reader.overflow is ex.WAIT:
        assert reader.statistics.dropped == 0
        assert got == there[: len(got)]
    else:
        left = iter(there)
        assert all(one in left for one in got), "out of order, or twice"
    if reader.is_done:
        assert reader.statistics.waiting == 0
        assert reader.statistics.delivered + reader.statistics.dropped == len(there)


def _judge_failures(schedule: Schedule, seen: Seen) -> None:
    reasons = seen.tree.attrs.get("failed_reasons")
    doom = schedule.what.doom
    if doom is None:
        assert reasons is None
        return
    (reason,) = reasons
    assert f"injected into chain {doom.chain}" in reason
    assert f"chain {doom.chain}: gave up after 3 attempts" in reason
    assert [m.chain for m in seen.messages if isinstance(m, ChainFailed)] == [doom.chain]


@cache
def reference(what: What) -> Seen:
    """Return what a run shows that nothing happens to but its doom."""
    faults = () if what.doom is None else (what.doom,)
    schedule = Schedule(0, what, faults, (9,), 1, 0.0, 0.0, 0.0, False, None, at_once=False, sittings=[])
    with the_same_each_time(schedule):
        return virtual(_sit, schedule, Sitting(), of.Faults(*faults), Path("/nowhere"))
