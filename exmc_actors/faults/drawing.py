"""Draw some faults from a seed, of which none is more than a run can heal."""

import errno
import random
from typing import get_args

from exmc_actors.faults.kinds import (
    BlockMoment,
    ChainKilled,
    Fault,
    Late,
    Moment,
    Raises,
    RecorderDies,
    ServerDies,
    ShortWrite,
    Slow,
    SyncFails,
    WakeRaises,
    WriteFails,
    Wrong,
    Wrongness,
)

_COMMITS = 60
"""Occasions that are drawn from, where these are no transitions."""
_MOST_DEATHS = 3
"""Of the actors that a run has one of: as many as its supervisors heal in five seconds."""


def drawn(
    seed: int | random.Random, *, chains: int, transitions: int, number: int = 5, is_stored: bool = False
) -> tuple[Fault, ...]:
    """Return some faults, after each of which a run goes on to the same bits.

    A chain crashes twice at most, and so never gives up; none waits for ever.

    Args:
      seed: of the choice; the same one makes the same choice.
      chains: of the run.
      transitions: of each chain, warmup included.
      number: how many faults.
      is_stored: whether some are of the disk.
    """
    chance = seed if isinstance(seed, random.Random) else random.Random(seed)
    crashes = dict.fromkeys(range(chains), 0)
    deaths = 0
    faults: list[Fault] = []
    while len(faults) < number:
        fault = _one(chance, chains, transitions, is_stored)
        if isinstance(fault, Raises | Wrong):
            assert fault.chain is not None
            if crashes[fault.chain] + fault.times > 2:
                continue
            crashes[fault.chain] += fault.times
        elif isinstance(fault, RecorderDies | ServerDies | WakeRaises):
            if deaths == _MOST_DEATHS:
                continue
            deaths += 1
        faults.append(fault)
    return tuple(faults)


def _one(chance: random.Random, chains: int, transitions: int, is_stored: bool) -> Fault:
    kinds = [Raises, Wrong, Late, ChainKilled, ChainKilled, RecorderDies, ServerDies, WakeRaises, Slow]
    of_the_disk = [WriteFails, WriteFails, ShortWrite, SyncFails]
    kind = chance.choice(kinds + of_the_disk if is_stored else kinds)
    chain, at, commit = chance.randrange(chains), chance.randrange(transitions), chance.randrange(_COMMITS)
    moment: Moment = chance.choice(get_args(Moment))
    turns, raises, few = chance.randint(1, 8), chance.random() < 0.3, chance.randint(1, 2)
    when: BlockMoment = chance.choice(get_args(BlockMoment))
    how: Wrongness = chance.choice(get_args(Wrongness))
    made: dict[type[Fault], Fault] = {
        Raises: Raises(chain=chain, at=at, times=few),
        Wrong: Wrong(chain=chain, at=at, times=few, how=how),
        Late: Late(chain=chain, at=at, seconds=chance.choice([0.01, 1.0, 600.0])),
        ChainKilled: ChainKilled(chain=chain, at=at, times=few, when=when, checkpoints=turns),
        RecorderDies: RecorderDies(at=commit, when=moment, raises=raises, checkpoints=turns),
        ServerDies: ServerDies(at=commit, when=moment, raises=raises),
        WakeRaises: WakeRaises(at=commit),
        Slow: Slow(at=commit, times=turns, seconds=chance.choice([0.01, 1.0])),
        # The first writes are those of opening, which is refused where the disk is full.
        WriteFails: WriteFails(
            at=4 + commit,
            times=turns,
            taken=chance.choice([0.0, 0.3, 0.9]),
            error=chance.choice([errno.ENOSPC, errno.EIO]),
        ),
        ShortWrite: ShortWrite(at=commit, times=turns),
        SyncFails: SyncFails(at=commit, times=turns),
    }
    return made[kind]
