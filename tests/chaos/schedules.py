"""Draw a schedule of faults from a seed, carry it out under virtual time, and judge what came of it.

A schedule is a run in one sitting or several, with faults at every seam, parts of the tree that are killed,
pauses, and subscribers that join and leave.  Whatever it holds, what is committed must be the beginning of
what the same run commits when nothing happens to it, and all of that unless the schedule says why not.
"""

import contextlib
import random
import warnings
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import trio

import exmc_actors as ex
import supervision as sv
from exmc_actors import faults as of
from exmc_actors.messages import ChainFailed, DrawBlock
from exmc_actors.opening import open_run
from exmc_actors.runtime import model_server, request
from exmc_actors.runtime.journal import journal
from exmc_actors.warmup import Schedule as Warmup
from tests.runtime.conftest import FixedBlocks, schools, virtual

SEED = 17
LENGTHS = [(30, 20), (60, 40), (45, 24)]
"""Draws and warmup transitions."""
JUDGED = (120, 24)
"""Of a run with a stopping rule, which is judged after 100 draws."""
RULE = ex.Converged(rhat=50.0, ess=1)
MOST_DEATHS = 3
"""Of the children of the engine: one more within five seconds, and it gives up, by name."""
LONG = 1e6
"""Virtual seconds after which whoever still waits will wait for ever."""


@dataclass(frozen=True)
class What:
    """What decides the draws."""

    chains: int
    draws: int
    tune: int
    is_judged: bool = False
    doom: of.Raises | None = None
    """What one chain never gets beyond."""
    is_ensemble: bool = False


@dataclass
class Sitting:
    """What happens beside the faults, at which virtual second."""

    kills: list[tuple[float, tuple[str, ...]]] = field(default_factory=list)
    pauses: list[tuple[float, float]] = field(default_factory=list)
    """When, and for how long."""
    joining: list[tuple[float, of.Reader]] = field(default_factory=list)
    views: list[of.Reader] = field(default_factory=list)
    ends: tuple[str, float] | None = None
    """How it ends before its time: abort, or leave."""
    damage: int | None = None
    """The seed of a byte that changes afterwards."""


@dataclass
class Schedule:
    """All that is drawn from a seed."""

    seed: int
    what: What
    faults: tuple[of.Fault, ...]
    sizes: tuple[int, ...]
    cores: int
    longest: float
    """Seconds that a computation takes at most."""
    gathered: float
    quick: float
    is_stored: bool
    sync_every: float | None
    at_once: bool
    """Whether chains that ask together make their warmup in one go, where nothing is stored."""
    sittings: list[Sitting]


def draw(seed: int) -> Schedule:
    """Return the schedule of a seed."""
    chance = random.Random(seed)
    what = _what(chance)
    is_stored = chance.random() < 0.5
    number = chance.randint(0, 7)
    transitions = what.draws + what.tune
    faults = of.drawn(chance, chains=what.chains, transitions=transitions, number=number, is_stored=is_stored)
    if is_stored and chance.random() < 0.1:  # where a run begins, or goes on
        faults = (of.WriteFails(at=chance.randrange(4)), *faults)
    deaths = sum(isinstance(fault, of.RecorderDies | of.ServerDies | of.WakeRaises) for fault in faults)
    sittings = [_sitting(chance, what, deaths) for _ in range(chance.randint(1, 3) if is_stored else 1)]
    if what.doom is not None or not is_stored:
        for one in sittings:
            one.damage = None
    return Schedule(
        seed=seed,
        what=what,
        faults=faults if what.doom is None else (*faults, what.doom),
        sizes=tuple(chance.randint(1, chance.choice([3, 12, 40])) for _ in range(chance.randint(1, 5))),
        cores=chance.randint(1, 3),
        longest=chance.choice([0.0, 0.003, 0.03]),
        gathered=chance.choice([0.0, 0.0, np.inf]),
        quick=chance.choice([0.0, np.inf]),
        is_stored=is_stored,
        sync_every=chance.choice([None, 0.0, 0.02, 1.0]),
        at_once=chance.random() < 0.5,
        sittings=sittings,
    )


def _what(chance: random.Random) -> What:
    chains = chance.randint(1, 4)
    kind = chance.random()
    if kind < 0.1:
        return What(chains, *JUDGED, is_judged=True)
    draws, tune = chance.choice(LENGTHS)
    doom = None
    if kind < 0.25:
        at = chance.choice([0, *Warmup(tune).lessons, tune])
        doom = of.Raises(chain=chains - 1, at=at, times=10**9)
    if 0.25 <= kind < 0.33:
        return What(4, draws, tune, is_ensemble=True)
    return What(chains, draws, tune, doom=doom)


def _sitting(chance: random.Random, what: What, deaths: int) -> Sitting:
    made = Sitting()
    chain = f"chain {chance.randrange(what.chains)}"
    engine = [("engine", "recorder"), ("engine", "model server"), ("engine", "chains")]
    below = [("engine", "chains", chain), ("engine", "chains", chain, "actor"), ("engine",)]
    for _ in range(chance.choice([0, 0, 1, 2, 3])):
        path = chance.choice(below + (engine if deaths < MOST_DEATHS else []))
        deaths += path in engine
        made.kills.append((_moment(chance), path))
    for _ in range(chance.choice([0, 0, 1, 2])):
        made.pauses.append((_moment(chance), chance.choice([0.0, 0.01, 1.0, 100.0])))
    for _ in range(chance.choice([0, 1, 2, 3])):
        made.joining.append((_moment(chance), _reader(chance)))
    made.views = [_reader(chance, from_start=True) for _ in range(chance.choice([0, 0, 1, 2]))]
    if chance.random() < 0.3:
        made.ends = chance.choice(["abort", "leave"]), _moment(chance)
    if chance.random() < 0.3:
        made.damage = chance.getrandbits(32)
    return made


def _moment(chance: random.Random) -> float:
    return chance.choice([0.0, chance.uniform(0.0, 0.05), chance.uniform(0.0, 0.5), chance.uniform(0.0, 3.0)])


def _reader(chance: random.Random, from_start: bool | None = None) -> of.Reader:
    reader = of.Reader(
        overflow=chance.choice([ex.WAIT, ex.DROP_OLDEST, ex.LATEST]),
        capacity=chance.choice([1, 2, 5, 64]),
        from_start=chance.random() < 0.5 if from_start is None else from_start,
        seconds=chance.choice([0.0, 0.0, 0.002, 0.2]),
    )
    mishap, after = chance.random(), chance.randrange(12)
    if mishap < 0.2:
        reader.raises_after = after
    elif mishap < 0.4:
        reader.leaves_after = after
    elif mishap < 0.6:
        reader.stalls_after = after
    return reader


# Carrying it out


@dataclass
class Seen:
    """What a sitting showed to one who loses nothing, and how it ended."""

    messages: list = field(default_factory=list)
    is_complete: bool = False
    """Whether these are all that there were."""
    starts: dict[int, int] = field(default_factory=dict)
    """By the identity of a reader: how many messages there were before the first that it could see."""
    tree: object = None
    error: Exception | None = None
    has_ended: bool = False
    """Whether somebody ended it before its time."""


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
        patch.setattr(model_server, "GATHERED", schedule.gathered)
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
    there, got = [_name(one) for one in seen.messages[start:]], [_name(one) for one in reader.seen]
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


def _name(message) -> object:
    """Return what a message is compared by."""
    if isinstance(message, DrawBlock):
        return message.chain, message.phase, message.first, len(message)
    return message


@cache
def reference(what: What) -> Seen:
    """Return what a run shows that nothing happens to but its doom."""
    faults = () if what.doom is None else (what.doom,)
    schedule = Schedule(0, what, faults, (9,), 1, 0.0, 0.0, 0.0, False, None, at_once=False, sittings=[])
    with the_same_each_time(schedule):
        return virtual(_sit, schedule, Sitting(), of.Faults(*faults), Path("/nowhere"))


def rows(whole: Seen) -> dict[tuple[int, str], dict[str, np.ndarray]]:
    """Return the draws and statistics of a run by chain and phase."""
    blocks: dict[tuple[int, str], list[DrawBlock]] = {}
    for message in whole.messages:
        if isinstance(message, DrawBlock):
            blocks.setdefault((message.chain, message.phase), []).append(message)
    return {place: _joined(of_one) for place, of_one in blocks.items()}


def _joined(blocks: list[DrawBlock]) -> dict[str, np.ndarray]:
    columns: list[Callable] = [lambda block: block.draws, lambda block: block.stats]
    return {
        name: np.concatenate([column(block)[name] for block in blocks])
        for column in columns
        for name in column(blocks[0])
    }
