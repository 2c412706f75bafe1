"""Say at which warmup transitions the metric is learnt, and from which draws; sees counts, never draws.

Two windows overlap.  The foreground gives the metric; the background is younger and takes its place at a
switch, so that the metric is always from recent draws and never from few.  Early windows are short,
because the first draws are far from typical; later ones grow.

References:
  Seyboldt, Carlson and Carpenter (2026), arXiv 2603.18845, section on adaptation windows.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

SHORTEST = 10
"""A shorter warmup adapts nothing: the first moves of the step size are large, and few average badly."""
_FIRST_WINDOWS = (10, 14, 24)
_GROWTH = 1.5
_LONGEST_WINDOW = 512
_ENOUGH = 0.7
"""The part of a window that is worth a switch to it."""
_EARLY = 36
_LOW_RANK_FROM = 24
_STEP_SIZE_ONLY = 1 / 6
"""The part at the end in which the metric stays."""
_MOST_STEP_SIZE_ONLY = 50


@dataclass(frozen=True)
class Schedule:
    """The lessons of a warmup of ``tune`` transitions."""

    tune: int

    @property
    def adapts(self) -> bool:
        """Whether anything is learnt at all."""
        return self.tune >= SHORTEST

    @property
    def early(self) -> int:
        """The transitions in which any rise of the acceptance is good, however it comes about."""
        return min(_EARLY, self.tune // 3)

    @cached_property
    def frozen(self) -> int:
        """The transition from which the metric stays."""
        if not self.adapts:
            return 0
        return self.tune - min(_MOST_STEP_SIZE_ONLY, round(self.tune * _STEP_SIZE_ONLY))

    @cached_property
    def switches(self) -> tuple[int, ...]:
        """The transitions before which the background takes the foreground's place."""
        at, number = 0, 0
        found: list[int] = []
        window = float(_FIRST_WINDOWS[0])
        while True:
            at, number = at + int(window), number + 1
            is_first = number < len(_FIRST_WINDOWS)
            window = _FIRST_WINDOWS[number] if is_first else min(window * _GROWTH, _LONGEST_WINDOW)
            if at + _ENOUGH * window > self.frozen:  # what is in the background would never be enough
                return tuple(found)
            found.append(at)

    @cached_property
    def lessons(self) -> tuple[int, ...]:
        """The transitions before which something is learnt: the metric, and at the end the step size."""
        if not self.adapts:
            return ()
        return tuple(sorted({*self.switches, self.frozen, self.tune}))

    @cached_property
    def longest_leg(self) -> int:
        """The most transitions from one lesson to the next."""
        return max((there - here for here, there in pairwise((0, *self.lessons))), default=0)

    def next_stop(self, transitions: int) -> int:
        """Return the first lesson after ``transitions``, or the end of the warmup."""
        return next((lesson for lesson in self.lessons if lesson > transitions), self.tune)

    def window_start(self, lesson: int) -> int:
        """Return the first transition of the foreground window at a lesson."""
        before = [0, 0, *(switch for switch in self.switches if switch <= lesson)]
        return before[-2]

    def learns_metric(self, lesson: int) -> bool:
        """Whether a lesson is about the metric."""
        return lesson <= self.frozen

    def learns_directions(self, lesson: int) -> bool:
        """Whether there are draws enough for more than a diagonal."""
        return lesson >= _LOW_RANK_FROM
