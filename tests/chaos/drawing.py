"""Draw a schedule of faults from a seed; it carries nothing out.

A schedule is a run in one sitting or several, with faults at every seam, parts of the tree that are killed,
pauses, and subscribers that join and leave.
"""

import random
from dataclasses import dataclass, field

import numpy as np

import exmc_actors as ex
from exmc_actors import faults as of
from exmc_actors.warmup import Schedule as Warmup

LENGTHS = [(30, 20), (60, 40), (45, 24)]
"""Draws and warmup transitions."""
JUDGED = (120, 24)
"""Of a run with a stopping rule, which is judged after 100 draws."""
MOST_DEATHS = 3
"""Of the children of the engine: one more within five seconds, and it gives up, by name."""


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
