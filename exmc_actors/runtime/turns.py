"""Decide who computes next: by priority, then in turn, each run's requests in the order in which they came.

A pure queue: it knows neither threads nor event loops.
"""

from collections import deque
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Generic, TypeVar

Who = TypeVar("Who")


@dataclass(eq=False)
class Line(Generic[Who]):
    """The requests of one run, and how many cores it has and may have at once."""

    at_most: int
    priority: int = 0
    """Whoever may have a core goes before all of a lower one, however long these wait."""
    held: int = 0
    waiting: deque[Who] = field(default_factory=deque)


class Turns(Generic[Who]):
    """Who waits for a core, and how many are held.

    While a run waits and may have another core, none of a lower priority is given one, and no other of its
    own priority two.
    """

    def __init__(self) -> None:
        """Begin with all cores free."""
        self.held = 0
        """By all runs together."""
        self._round: deque[Line[Who]] = deque()  # those in which somebody waits; the first has waited longest

    def ask(self, line: Line[Who], who: Who) -> None:
        """Wait in a run's line."""
        line.waiting.append(who)
        if len(line.waiting) == 1:
            self._round.append(line)

    def leave(self, line: Line[Who], who: Who) -> bool:
        """Wait no longer; return whether it did, and was not given a core before."""
        if who not in line.waiting:
            return False
        line.waiting.remove(who)
        if not line.waiting:
            self._round.remove(line)
        return True

    def grant(self, cores: int) -> tuple[Line[Who], Who] | None:
        """Give a core to whose turn it is, if fewer than ``cores`` are held and somebody may have one."""
        if self.held >= cores:
            return None
        may_have = (line for line in self._round if line.held < line.at_most)
        line = max(may_have, key=attrgetter("priority"), default=None)  # of equals the first
        if line is None:
            return None
        self._round.remove(line)
        who = line.waiting.popleft()
        if line.waiting:
            self._round.append(line)
        line.held += 1
        self.held += 1
        return line, who

    def give_back(self, line: Line[Who]) -> None:
        """Hold one core less."""
        line.held -= 1
        self.held -= 1
