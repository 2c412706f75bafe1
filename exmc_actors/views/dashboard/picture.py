"""Hold what a dashboard knows of a run, in bounded memory: positions, thinned traces, events, estimates.

It is made of messages alone; the caller says what time it is.  Everything that grows has a number, so that
what came after a cursor can be told apart from what was there before.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from exmc_actors.diagnostics.online import Online, OnlineSummary
from exmc_actors.messages import (
    ChainAdded,
    ChainFailed,
    ChainFinished,
    ChainRestarted,
    ChainStopped,
    DrawBlock,
    Message,
    RunPaused,
    RunResumed,
)
from exmc_actors.views.dashboard.quantities import Quantities
from exmc_actors.views.tally import Row, Tally
from exmc_actors.views.thinned import Thinned

ROWS = 512
"""Draws of a chain that a trace keeps."""
ROWS_OF_ALL = 8192
"""Of all chains together, so that many chains are no long message."""
FEWEST_ROWS = 64
BYTES = 64 << 20
"""What the traces of all chains may take together, unless even the fewest rows take more."""
DIVERGENCES = 256
EVENTS = 500
CURSORS = 1000


@dataclass(frozen=True, slots=True)
class Cursor:
    """How much of what grows somebody has seen."""

    draws: tuple[int, ...]
    """By chain: the draw that comes next."""
    divergences: tuple[int, ...]
    events: int

    def of(self, chain: int) -> tuple[int, int]:
        """Return the draw and the divergence that come next, of a chain that may have been added since."""
        return (self.draws[chain], self.divergences[chain]) if chain < len(self.draws) else (0, 0)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a run, for the list of events and for marks in the lanes."""

    number: int
    seconds: float
    kind: str
    chain: int | None
    draw: int | None
    """Of the chain's transitions, warmup included."""
    text: str


@dataclass(slots=True)
class Pace:
    """What the last block of a chain says of its trajectories."""

    depth: float = nan
    acceptance: float = nan


class Picture:
    """What is known of a run."""

    def __init__(self, *, chains: int, draws: int, tune: int, online: Online | None = None) -> None:
        """Begin knowing nothing.

        Args:
          chains: how many there are at first.
          draws: wanted of each chain after warmup.
          tune: transitions of warmup before them.
          online: what estimates; one that knows labels of axes, say.
        """
        self.online = online or Online(chains)
        self.estimates: OnlineSummary | None = None
        self.revision = 0
        """How often there were estimates."""
        self.tally = Tally(chains=chains, draws=draws, tune=tune)
        self.sequence = 0
        """How many messages have been taken in."""
        self.is_over = False
        self.elapsed = 0.0
        self.quantities: Quantities | None = None
        self.paces = [Pace() for _ in range(chains)]
        self.events: deque[Event] = deque(maxlen=EVENTS)
        self.traces: list[Thinned] = []
        """By chain: the quantities, the energy, and how far it is from that of the draw before."""
        self.divergent: list[Thinned] = []
        """By chain, numbered by themselves: the draw, and the quantities there."""
        self.happened = 0
        """How many events there were; the last ones are kept."""
        self._last_energy = [nan] * chains
        self._cursors: OrderedDict[int, Cursor] = OrderedDict()

    @property
    def chains(self) -> int:
        """Return how many chains there are."""
        return len(self.paces)

    def observe(self, messages: Sequence[Message], now: float, *, with_draws: bool = True) -> None:
        """Take in messages.

        Args:
          messages: of the run.
          now: when they came, in seconds since the run was opened.
          with_draws: whether there is time for the draws of blocks, too, and not only for where chains stand.
        """
        for message in messages:
            if not isinstance(message, RunPaused | RunResumed):
                self._grow(message.chain)
            self.tally.observe(message, now)
            self.sequence += 1
            if isinstance(message, DrawBlock):
                self._note_pace(message)
                if with_draws:
                    self.online.observe(message)
                    self._take(message)
            else:
                self.online.observe(message)
                self._note(message, now)
        self.elapsed = now

    def estimate(self) -> None:
        """Estimate from what was taken in so far; takes its time where there are thousands of quantities."""
        self.estimates = self.online.summary()
        self.revision += 1

    def end(self, now: float) -> None:
        """Note that no message will come any more."""
        if not self.is_over:
            self.is_over = True
            self.sequence += 1
            self.elapsed = now
            rows = self.tally.rows()
            ended = sum(row.state in ("finished", "failed", "stopped") for row in rows)
            self._add(
                now, "end", None, None, "the run has ended" if ended == len(rows) else "the run was stopped"
            )

    def resize(self, draws: int) -> None:
        """Note how many draws of each chain are wanted now."""
        if draws != self.tally.draws:
            self.tally.draws = draws
            self.sequence += 1

    def rows(self) -> tuple[Row, ...]:
        """Return where each chain stands."""
        return self.tally.rows()

    def cursor(self) -> Cursor:
        """Return a cursor behind everything, remembered for a while by the present sequence number."""
        cursor = Cursor(
            tuple(trace.end for trace in self.traces) or (0,) * self.chains,
            tuple(one.end for one in self.divergent) or (0,) * self.chains,
            self.happened,
        )
        self._cursors[self.sequence] = cursor
        if len(self._cursors) > CURSORS:
            self._cursors.popitem(last=False)
        return cursor

    def cursor_at(self, sequence: int) -> Cursor | None:
        """Return the cursor that was made at a sequence number; None where it is forgotten or never was."""
        return self._cursors.get(sequence)

    def _grow(self, chain: int) -> None:
        """Begin with a chain that was added, and with those before it."""
        while chain >= self.chains:
            self.paces.append(Pace())
            self._last_energy.append(nan)
            if self.quantities is not None:
                self.traces.append(self.traces[0].empty())
                self.divergent.append(self.divergent[0].empty())

    def _note_pace(self, block: DrawBlock) -> None:
        pace = self.paces[block.chain]
        pace.depth = float(block.stats["tree_depth"].mean())
        pace.acceptance = float(block.stats["acceptance_rate"].mean())

    def _take(self, block: DrawBlock) -> None:
        if block.phase == "warmup" or not len(block):
            return
        if self.quantities is None:
            shapes = {name: values.shape[1:] for name, values in block.draws.items()}
            self._make_room(Quantities(self.online.names, shapes))
        values = self.online.rows(block.draws)
        energy = np.asarray(block.stats["energy"], dtype=float)
        jumps = np.diff(energy, prepend=self._last_energy[block.chain])
        self._last_energy[block.chain] = float(energy[-1])
        self.traces[block.chain].add(block.first, np.column_stack([values, energy, jumps]))
        places = np.flatnonzero(block.stats["diverging"])
        if len(places):
            divergent = self.divergent[block.chain]
            divergent.add(divergent.end, np.column_stack([block.first + places, values[places]]))

    def _make_room(self, quantities: Quantities) -> None:
        self.quantities = quantities
        width = len(quantities.names) + 2
        most = BYTES // (8 * width * self.chains)
        most = min(most, ROWS_OF_ALL // self.chains)
        rows = max(FEWEST_ROWS, min(ROWS, most))
        self.traces = [Thinned(width, rows) for _ in range(self.chains)]
        kept = max(FEWEST_ROWS, min(DIVERGENCES, most))
        self.divergent = [Thinned(width - 1, kept) for _ in range(self.chains)]

    def _note(self, message: Message, now: float) -> None:
        match message:
            case ChainRestarted(chain, phase, first, restarts, reason):
                text = f"restarted ({restarts}x): {reason}"
                self._add(now, "restart", chain, self._transition(phase, first), text)
            case ChainFailed(chain, phase, first, reason):
                self._add(now, "failure", chain, self._transition(phase, first), f"gave up: {reason}")
            case ChainStopped(chain, phase, first):
                self._add(now, "stop", chain, self._transition(phase, first), "stopped by the user")
            case ChainAdded(chain):
                self._add(now, "add", chain, 0, "added")
            case ChainFinished(chain):
                self._add(now, "finish", chain, self.tally.tune + self.tally.draws, "finished")
            case RunPaused(reason):
                self._add(now, "pause", None, None, f"paused: {reason}")
            case RunResumed():
                self._add(now, "resume", None, None, "goes on")

    def _transition(self, phase: str, first: int) -> int:
        return first + (self.tally.tune if phase == "sample" else 0)

    def _add(self, now: float, kind: str, chain: int | None, draw: int | None, text: str) -> None:
        self.events.append(Event(self.happened, now, kind, chain, draw, text))
        self.happened += 1
