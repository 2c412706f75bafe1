"""Hold what one picture of a run shows; frozen, and it decides nothing about how that looks."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from exmc_actors.diagnostics import OnlineSummary
from exmc_actors.views.notebook.followed import Followed
from exmc_actors.views.notebook.traces import Trace
from exmc_actors.views.notebook.verdicts import Verdict, foremost
from exmc_actors.views.tally import Row

MOST_QUANTITIES = 12


@dataclass(frozen=True)
class Picture:
    """A run at one moment."""

    rows: tuple[Row, ...]
    """Where each chain stands."""
    draws: int
    """Wanted of each chain."""
    tune: int
    """Transitions of warmup before them."""
    elapsed: float
    """Seconds since the run began."""
    is_over: bool = False
    paused: str | None = None
    """Why no chain goes on at the moment."""
    quantities: int = 0
    """Scalars of the variables that are looked at."""
    summary: OnlineSummary | None = None
    """Of the first of them; None before there is a draw after warmup."""
    shown: Mapping[str, Verdict] = field(default_factory=dict)
    """The scalars that are in the table."""
    traces: Mapping[str, tuple[Trace, ...]] = field(default_factory=dict)
    """Of these."""


def picture(
    rows: tuple[Row, ...],
    followed: Followed,
    *,
    draws: int,
    tune: int,
    elapsed: float,
    is_over: bool,
    paused: str | None,
) -> Picture:
    """Put together what is known of the chains and what is known of the quantities."""
    summary = followed.summary()
    shown = {} if summary is None else foremost(summary, MOST_QUANTITIES)
    return Picture(
        rows,
        draws,
        tune,
        elapsed,
        is_over,
        paused,
        followed.quantities,
        summary,
        shown,
        {name: followed.traces(name) for name in shown},
    )
