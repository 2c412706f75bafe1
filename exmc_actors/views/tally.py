"""Count what the messages of a run say about its chains; the caller says what time it is.

Messages may be missing where a subscriber fell behind: positions stay right, since every block says where it
stands, but divergences may then be more than were counted, and the tally says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import nan
from typing import Literal

from exmc_actors.messages import (
    ChainFailed,
    ChainFinished,
    ChainRestarted,
    ChainStalled,
    ChainStopped,
    DrawBlock,
    Message,
    Phase,
    RunPaused,
    RunResumed,
)

State = Literal["waiting", "warmup", "sampling", "finished", "failed", "stopped"]

STATE_OF: dict[Phase, State] = {"warmup": "warmup", "sample": "sampling"}


@dataclass(frozen=True, slots=True)
class Row:
    """Where one chain stands."""

    chain: int
    state: State
    phase: Phase
    done: int
    """Draws made in this phase."""
    divergences: int
    """After warmup."""
    missed: bool
    """Whether draws after warmup went by unseen, so that divergences are a lower bound."""
    step_size: float
    steps_per_draw: float
    """Leapfrog steps a draw, over this phase; NaN before the first."""
    draws_per_second: float
    """Since the first message; NaN while there is only one."""
    restarts: int
    note: str
    """What goes wrong, or the last thing that happened, and where; empty where nothing did."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Where the run stands."""

    phase: Phase
    """Warmup until the first chain has left it."""
    done: int
    """Draws made in this phase by all chains."""
    wanted: int
    divergences: int
    missed: bool
    restarts: int
    in_warmup: int
    """Chains that have not left warmup and go on."""
    finished: int
    failed: int
    stopped: int = 0
    paused: str | None = None
    """Why no chain goes on at the moment."""


class Tally:
    """What is known of every chain of a run."""

    def __init__(self, *, chains: int, draws: int, tune: int) -> None:
        """Begin with chains of which nothing was heard."""
        self.draws = draws
        self.tune = tune
        self.paused: str | None = None
        """Why no chain goes on at the moment."""
        self._chains = [_Chain(number, "warmup" if tune else "sample") for number in range(chains)]

    def observe(self, message: Message, now: float) -> None:
        """Take in one message that was received at ``now``, in seconds of any clock."""
        if isinstance(message, RunPaused | RunResumed):
            self.paused = message.reason if isinstance(message, RunPaused) else None
            return
        while message.chain >= len(self._chains):  # one was added
            self._chains.append(_Chain(len(self._chains), "warmup" if self.tune else "sample"))
        chain = self._chains[message.chain]
        if isinstance(message, DrawBlock):
            chain.advance(message, self.tune, now)
        elif isinstance(message, ChainRestarted):
            chain.restart(message)
        elif isinstance(message, ChainFailed):
            chain.fail(message)
        elif isinstance(message, ChainStalled):
            chain.stall(message)
        elif isinstance(message, ChainStopped):
            chain.stop(message)
        elif isinstance(message, ChainFinished):
            chain.state = "finished"

    @property
    def chains(self) -> int:
        """How many there are, as far as was heard."""
        return len(self._chains)

    def rows(self) -> tuple[Row, ...]:
        """Return where each chain stands."""
        return tuple(chain.row() for chain in self._chains)

    def totals(self) -> Totals:
        """Return where all chains together stand."""
        return totals_of(self.rows(), draws=self.draws, tune=self.tune, paused=self.paused)


def totals_of(rows: Sequence[Row], *, draws: int, tune: int, paused: str | None = None) -> Totals:
    """Return where chains of ``tune`` and ``draws`` transitions stand together."""
    phase: Phase = "warmup" if all(row.phase == "warmup" for row in rows) else "sample"
    return Totals(
        phase=phase,
        done=sum(row.done for row in rows if row.phase == phase),
        wanted=len(rows) * (tune if phase == "warmup" else draws),
        divergences=sum(row.divergences for row in rows),
        missed=any(row.missed for row in rows),
        restarts=sum(row.restarts for row in rows),
        in_warmup=sum(row.phase == "warmup" and row.state not in ("failed", "stopped") for row in rows),
        finished=sum(row.state == "finished" for row in rows),
        failed=sum(row.state == "failed" for row in rows),
        stopped=sum(row.state == "stopped" for row in rows),
        paused=paused,
    )


@dataclass(slots=True)
class _Chain:
    number: int
    phase: Phase
    state: State = "waiting"
    done: int = 0
    divergences: int = 0
    missed: bool = False
    step_size: float = nan
    restarts: int = 0
    note: str = ""
    stalled: str = ""
    """What is said of a block that takes too long, until it is there or the chain begins again."""
    steps: int = 0
    """Leapfrog steps of the draws seen in this phase."""
    seen: int = 0
    heard: list[tuple[float, int]] = field(default_factory=list)
    """When the first and the last block came, and how many transitions were made by then."""

    def advance(self, block: DrawBlock, tune: int, now: float) -> None:
        self._reach(block.phase, block.first)
        self.stalled = ""
        sampling = block.phase == "sample"
        self.state = STATE_OF[block.phase]
        self.done = block.first + len(block)
        if sampling:
            self.divergences += int(block.stats["diverging"].sum())
        self.steps += int(block.stats["n_steps"].sum())
        self.seen += len(block)
        self.step_size = float(block.stats["step_size"][-1])
        self.heard[1:] = [(now, self.done + sampling * tune)]

    def restart(self, message: ChainRestarted) -> None:
        self._reach(message.phase, message.first)
        self.stalled = ""
        self.restarts = message.restarts
        self.note = f"restarted {self.restarts}x, last at {_place(message)}: {message.reason}"

    def fail(self, message: ChainFailed) -> None:
        self._reach(message.phase, message.first)
        self.state, self.stalled = "failed", ""
        self.note = f"gave up at {_place(message)}: {message.reason}"

    def stall(self, message: ChainStalled) -> None:
        self._reach(message.phase, message.first)
        self.stalled = f"has been at {_place(message)} for {message.seconds:.0f} s, far longer than foretold"

    def stop(self, message: ChainStopped) -> None:
        self._reach(message.phase, message.first)
        self.state, self.stalled = "stopped", ""
        self.note = f"stopped by the user at {_place(message)}"

    def _reach(self, phase: Phase, first: int) -> None:
        if phase != self.phase:
            self.phase, self.done, self.steps, self.seen = phase, 0, 0, 0
        self.missed |= phase == "sample" and first > self.done
        self.done = max(self.done, first)

    def row(self) -> Row:
        return Row(
            chain=self.number,
            state=self.state,
            phase=self.phase,
            done=self.done,
            divergences=self.divergences,
            missed=self.missed,
            step_size=self.step_size,
            steps_per_draw=self.steps / self.seen if self.seen else nan,
            draws_per_second=self._speed(),
            restarts=self.restarts,
            note=self.stalled or self.note,
        )

    def _speed(self) -> float:
        if len(self.heard) < 2:
            return nan
        (began, first), (heard, last) = self.heard
        return (last - first) / (heard - began) if heard > began else nan


def _place(message: ChainRestarted | ChainFailed | ChainStalled | ChainStopped) -> str:
    return f"{'warmup ' if message.phase == 'warmup' else ''}draw {message.first}"
