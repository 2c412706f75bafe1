"""Look at a run at one moment, for a notebook that shows the run itself as a cell's value.

Looking is quick and happens in the thread of the run's loop; the picture is made from it in any thread.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exmc_actors.messages import ChainFailed, ChainStatistics, ChainStopped, DrawBlock, Message
from exmc_actors.runtime import Log
from exmc_actors.runtime.chain_record import ChainRecord
from exmc_actors.views.notebook import Followed, affordable, html
from exmc_actors.views.notebook.picture import picture
from exmc_actors.views.tally import STATE_OF, Row, State

if TYPE_CHECKING:
    from exmc_actors.run import Run

SECONDS = 0.15
"""What it may take to estimate; so many of the last draws are looked at."""

LOOKED_AT = 1 << 16
"""Messages among which they are found, some 10 ms of the loop's thread."""


@dataclass(frozen=True)
class Moment:
    """What was known of a run when it was looked at."""

    rows: tuple[Row, ...]
    messages: Sequence[Message]
    draws: int
    tune: int
    elapsed: float
    is_over: bool
    paused: str | None
    dims: Mapping[str, Sequence[str]]
    coords: Mapping[str, Any]
    var_names: Collection[str] | None

    def html(self) -> str:
        """Return a picture of it."""
        followed = Followed(len(self.rows), self.dims, self.coords, self.var_names)
        for message in self.messages:
            followed.observe(message)
        return html(
            picture(
                self.rows,
                followed,
                draws=self.draws,
                tune=self.tune,
                elapsed=self.elapsed,
                is_over=self.is_over,
                paused=self.paused,
            )
        )


def look(run: "Run") -> Moment:
    """Return what is known of a run now; waits for nothing and reads no file."""
    log, target, statistics = run._log, run._parts.target, run.statistics()
    return Moment(
        rows=tuple(
            _row(chain, record, log.settings.tune)
            for chain, record in zip(statistics.chains, log.chains, strict=True)
        ),
        messages=_last(log),
        draws=log.settings.draws,
        tune=log.settings.tune,
        elapsed=statistics.elapsed,
        is_over=log.is_over,
        paused=statistics.paused,
        dims=target.dims,
        coords=target.coords,
        var_names=run._keep.var_names,
    )


def _row(chain: ChainStatistics, record: ChainRecord, tune: int) -> Row:
    transitions = chain.index + (tune if chain.phase == "sample" else 0)
    return Row(
        chain=chain.chain,
        state=_state(chain, record),
        phase=chain.phase,
        done=chain.index,
        divergences=chain.divergences,
        missed=False,
        step_size=chain.step_size,
        steps_per_draw=chain.steps / transitions if transitions else float("nan"),
        draws_per_second=chain.draws_per_second,
        restarts=chain.restarts,
        note=_note(chain, record),
    )


def _state(chain: ChainStatistics, record: ChainRecord) -> State:
    if chain.status == "finished" or chain.status == "failed":
        return chain.status
    if record.was_stopped:
        return "stopped"
    return STATE_OF[chain.phase] if record.transitions else "waiting"


def _note(chain: ChainStatistics, record: ChainRecord) -> str:
    place = f"{'warmup ' if chain.phase == 'warmup' else ''}draw {chain.index}"
    if chain.status == "failed":
        return f"gave up at {place}: {record.reason}"
    if record.was_stopped:
        return f"stopped by the user at {place}"
    if chain.stalled is not None:
        return f"has been at one block for {chain.stalled:.0f} s, far longer than foretold"
    return f"restarted {chain.restarts}x" if chain.restarts else ""


def _last(log: Log) -> Sequence[Message]:
    """Return the last blocks that are in memory, oldest first, and which chains were stopped or gave up."""
    ended: list[Message] = []
    for number, record in enumerate(log.chains):
        place = log.settings.place(record.transitions)
        if record.status == "failed":
            ended.append(ChainFailed(number, *place, record.reason))
        elif record.was_stopped:
            ended.append(ChainStopped(number, *place))
    return [*reversed(affordable(_in_memory(log), SECONDS)), *ended]


def _in_memory(log: Log) -> Iterator[DrawBlock]:
    """Yield blocks of draws after warmup, the newest first, until one would have to be read."""
    # Those of chains that were added, and warm up, may lie between them.
    for at in reversed(range(len(log.messages))[-LOOKED_AT:]):
        message = log.messages.in_memory(at)
        if message is None:
            return
        if isinstance(message, DrawBlock) and message.phase == "sample":
            yield message
