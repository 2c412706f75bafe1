"""Say to a page what is new since a cursor, or all there is; what it then knows is the same either way."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from exmc_actors.diagnostics.online import Online, OnlineSummary
from exmc_actors.views.dashboard.numbers import exact, number, plain
from exmc_actors.views.dashboard.picture import Cursor, Event, Picture
from exmc_actors.views.dashboard.selection import Selection
from exmc_actors.views.dashboard.table import Table
from exmc_actors.views.tally import Row
from supervision import Node

BINS = 40
PLACES = 64
"""Of a running mean."""


class Frame:
    """What one page is told at one moment."""

    def __init__(self, id: str, text: str, shown: tuple[str, ...], cursor: Cursor, revision: int) -> None:
        """Hold an encoded frame, and what whoever has it has seen."""
        self.id = id
        self.text = text
        self.shown = shown
        self.cursor = cursor
        self.revision = revision


def standing(picture: Picture) -> dict[str, Any]:
    """Return where the run stands: the same for every page."""
    rows = picture.rows()
    return {
        "run": {
            "chains": picture.chains,
            "draws": picture.tally.draws,
            "tune": picture.tally.tune,
            "quantities": 0 if picture.quantities is None else len(picture.quantities.names),
        },
        "sequence": picture.sequence,
        "elapsed": number(picture.elapsed),
        "paused": picture.tally.paused,
        "over": picture.is_over,
        "chains": [_chain(picture, row) for row in rows],
    }


def news(picture: Picture, shown: tuple[str, ...], since: Cursor | None) -> dict[str, Any]:
    """Return what has been added to what a page shows.

    Args:
      picture: of the run.
      shown: names of quantities.
      since: what the page has seen; None makes it forget all that it has.
    """
    quantities = picture.quantities
    columns = [quantities.number_of[name] for name in shown] if quantities else []
    first = since.events if since else 0
    return {
        "fresh": since is None,
        "shown": list(shown),
        "traces": [
            _trace(picture, chain, columns, since.of(chain)[0] if since else 0)
            for chain in range(len(picture.traces))
        ],
        "divergences": [
            _divergences(picture, chain, columns, since.of(chain)[1] if since else 0)
            for chain in range(len(picture.divergent))
        ],
        "events": [_event(event) for event in picture.events if event.number >= first],
    }


def estimates(summary: OnlineSummary, chosen: Selection) -> dict[str, Any]:
    """Return a page of the table, and what is estimated of each chain."""
    return {
        "table": Table(summary).page(chosen),
        "e_bfmi": plain(summary.e_bfmi),
        "missed": int(summary.missed),
    }


def charts(online: Online, name: str) -> dict[str, Any]:
    """Return what charts of one quantity show, each time whole."""
    histogram = online.histogram(name, BINS)
    running = online.running_mean(name)
    return {
        "edges": exact(histogram.edges),
        "counts": histogram.counts.tolist(),
        "running": [
            {
                "draws": one.draws[_places(len(one.draws))].astype(int).tolist(),
                "mean": exact(one.mean[_places(len(one.draws))]),
                "mcse": plain(one.mcse[_places(len(one.draws))]),
            }
            for one in running
        ],
        "autocorrelation": [plain(one) for one in online.autocorrelation(name)],
    }


def processes(node: Node, depth: int = 0) -> Iterator[list[Any]]:
    """Yield the processes of a tree from the top: how deep, its name, what it is, and how it stands."""
    kind = node.strategy if node.kind == "static" else node.kind
    yield [
        depth,
        node.id,
        kind or "",
        node.status,
        node.restarts,
        0 if node.process is None else node.process.handled,
    ]
    for child in node.children:
        yield from processes(child, depth + 1)


def _chain(picture: Picture, row: Row) -> dict[str, Any]:
    pace = picture.paces[row.chain]
    return {
        "state": row.state,
        "phase": row.phase,
        "done": row.done,
        "divergences": row.divergences,
        "step_size": number(row.step_size),
        "depth": number(pace.depth),
        "acceptance": number(pace.acceptance),
        "steps_per_draw": number(row.steps_per_draw),
        "speed": number(row.draws_per_second),
        "restarts": row.restarts,
        "note": row.note,
    }


def _trace(picture: Picture, chain: int, columns: list[int], start: int) -> dict[str, Any]:
    trace = picture.traces[chain]
    numbers, rows = trace.after(start)
    return {
        "stride": trace.stride,
        "draws": numbers.tolist(),
        "values": [exact(rows[:, column]) for column in columns],
        "energy": exact(rows[:, -2]),
        "jump": exact(rows[:, -1]),
    }


def _divergences(picture: Picture, chain: int, columns: list[int], start: int) -> dict[str, Any]:
    found = picture.divergent[chain]
    numbers, rows = found.after(start)
    return {
        "stride": found.stride,
        "numbers": numbers.tolist(),
        "draws": rows[:, 0].astype(int).tolist(),
        "values": [exact(rows[:, 1 + column]) for column in columns],
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "number": event.number,
        "seconds": number(event.seconds),
        "kind": event.kind,
        "chain": event.chain,
        "draw": event.draw,
        "text": event.text,
    }


def _places(length: int) -> np.ndarray:
    """Return at most so many places of a running mean, the last one among them."""
    return np.unique(np.linspace(0, length - 1, min(length, PLACES)).astype(int))
