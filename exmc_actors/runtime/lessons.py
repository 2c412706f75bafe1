"""Hold a lesson of the warmup as soon as every running first chain has come to it; the recorder's business.

A lesson is computed from committed draws, or on the way of a whole warmup that is committed with it, and is
committed itself, so that a chain that comes again, and a recorder that begins again, get the same one.
"""

import functools
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

import supervision as sv
from exmc_actors.blas import must_wait, one_thread
from exmc_actors.runtime.journal import LessonRecord
from exmc_actors.runtime.keeper import Keeper
from exmc_actors.runtime.log import Log
from exmc_actors.runtime.protocol import BlockFailed, Held
from exmc_actors.runtime.worker import Runner, attempt
from exmc_actors.warmup import Learner, Learnt, follow, teach

T = TypeVar("T")
Task = Callable[[], Awaitable[None]]

_SMALL = 100
"""Dimensions, of all chains together, up to which a lesson takes less than a millisecond."""


class Lessons:
    """The chains that wait for a lesson."""

    def __init__(self, log: Log, runner: Runner, keeper: Keeper) -> None:
        """Begin with nobody waiting.

        Args:
          log: of the run; what is learnt goes there.
          runner: computes a lesson.
          keeper: keeps what is learnt.
        """
        self._log = log
        self._runner = runner
        self._keeper = keeper
        self._waiting: dict[int, list[tuple[int, sv.Reply]]] = {}
        self._is_on = False
        self._following: list[Task] = []

    def ask(self, chain: int, lesson: int, reply: sv.Reply) -> None:
        """Answer now where the lesson was held, or else when it will have been."""
        if lesson in self._log.lessons:
            self._answer(chain, lesson, reply)
            return
        self._waiting.setdefault(lesson, []).append((chain, reply))

    async def take(self, held: Held) -> None:
        """Take in lessons that chains have held on their way.

        They come before the block that led to them: whoever begins again is led to the same block by them,
        while nobody could hold them again by that block alone.
        """
        for lesson, outcome in held.items():
            if lesson not in self._log.lessons:
                await self._commit(lesson, outcome)

    async def _commit(self, lesson: int, outcome: Mapping[int, Learnt]) -> None:
        await self._keeper.keep(LessonRecord(lesson, outcome))
        self._log.learn(lesson, outcome)
        for chain, reply in self._waiting.pop(lesson, ()):
            self._answer(chain, lesson, reply)

    def due(self) -> list[Task]:
        """Return what is to be done now, each task once: whenever a chain has asked, moved on or given up."""
        due, self._following = self._following, []
        for lesson in self._waiting:  # one at most: no chain passes a lesson before it was held
            if not self._is_on and self._log.is_ready(lesson):
                self._is_on = True
                due.append(functools.partial(self._hold, lesson))
        return due

    async def _hold(self, lesson: int) -> None:
        learners = self._log.learners(lesson)
        compute = functools.partial(on_one_thread, teach, self._log.settings.schedule, lesson, learners)
        seconds = _seconds(learners.values())
        outcome: dict[int, Learnt] | BlockFailed = await attempt(self._runner, compute, seconds=seconds)
        if isinstance(outcome, BlockFailed):
            for _, reply in self._waiting.pop(lesson):
                reply.send(outcome)
        else:
            await self._commit(lesson, outcome)
        self._is_on = False
        for task in self.due():
            await task()

    def _answer(self, chain: int, lesson: int, reply: sv.Reply) -> None:
        """Tell a chain what it takes from a lesson that was held."""
        if chain < self._log.settings.chains:
            reply.send(self._log.lessons[lesson][chain])
        else:
            self._following.append(functools.partial(self._follow, chain, lesson, reply))

    async def _follow(self, chain: int, lesson: int, reply: sv.Reply) -> None:
        """Tell a chain that was added later; what it takes follows from what is committed."""
        learner, schedule = self._log.learner(chain, lesson), self._log.settings.schedule
        compute = functools.partial(
            on_one_thread, follow, schedule, lesson, self._log.lessons[lesson], learner
        )
        reply.send(await attempt(self._runner, compute, seconds=_seconds([learner])))


def on_one_thread(compute: Callable[..., T], *arguments: Any) -> T:
    """Return what chains learn, the same bits whatever the threads of the host's linear algebra."""
    with one_thread():
        return compute(*arguments)


def _seconds(learners: Iterable[Learner]) -> float:
    """Return how long a lesson may take: nothing, where it is small."""
    is_small = sum(len(learner.metric.scale) for learner in learners) <= _SMALL
    return 0.0 if is_small and not must_wait() else math.inf
