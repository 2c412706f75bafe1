"""Estimate what a picture shows while draws come, for the first so many quantities of a model.

A picture has room for a few quantities, and estimating thousands would take the chains' cores.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from exmc_actors.diagnostics import Online, OnlineSummary
from exmc_actors.messages import DrawBlock, Message
from exmc_actors.views.notebook.traces import Trace, Traces

MOST = 200
"""Quantities that are followed."""

SECONDS_A_DRAW, SECONDS_A_NUMBER = 9e-7, 3.2e-8
"""What it takes to follow, roughly."""


def affordable(messages: Iterable[Message], seconds: float) -> list[Message]:
    """Return the first messages that are followed in so many seconds, and one in any case."""
    chosen: list[Message] = []
    for message in messages:
        seconds -= _seconds(message)
        if seconds < 0.0 and chosen:
            break
        chosen.append(message)
    return chosen


def _seconds(message: Message) -> float:
    if not isinstance(message, DrawBlock) or message.phase == "warmup":
        return 0.0
    quantities = sum(prod(values.shape[1:]) for values in message.draws.values())
    return len(message) * (SECONDS_A_DRAW + SECONDS_A_NUMBER * min(quantities, MOST))


class Followed:
    """Estimates and traces of one run, in bounded memory."""

    def __init__(
        self,
        chains: int,
        dims: Mapping[str, Sequence[str]],
        coords: Mapping[str, Any],
        var_names: Collection[str] | None = None,
    ) -> None:
        """Begin with nothing seen.

        Args:
          chains: how many the run has.
          dims: names of a variable's axes, where they have labels.
          coords: labels by name of dimension.
          var_names: variables that are followed; None means all.
        """
        self._number, self._dims, self._coords, self._wanted = chains, dims, coords, var_names
        self._kept: dict[str, int | None] = {}
        self._online = Online(chains, lags=0)
        self._traces = Traces()
        self.quantities = 0
        """Scalars of these variables; 0 before the first block of draws."""

    def observe(self, message: Message) -> None:
        """Take in a message; warmup changes nothing."""
        if not isinstance(message, DrawBlock):
            self._online.observe(message)
        elif message.phase == "sample":
            self._observe(message)

    def summary(self) -> OnlineSummary | None:
        """Return the estimates; None before the first draw after warmup."""
        return self._online.summary() if self._online.names else None

    def traces(self, name: str) -> tuple[Trace, ...]:
        """Return the traces of a quantity that the summary has."""
        return self._traces.of(self._online.names.index(name))

    def _observe(self, block: DrawBlock) -> None:
        if not self.quantities:
            self._begin(block.draws)
        kept = {name: block.draws[name][:, :rows] for name, rows in self._kept.items() if rows is not None}
        kept |= {name: block.draws[name] for name, rows in self._kept.items() if rows is None}
        draws = {name: kept[name] for name in self._kept}  # in the order of the model
        if draws:
            self._online.observe(replace(block, draws=draws))
            columns = [values.reshape(len(block), -1) for values in draws.values()]
            self._traces.add(block.chain, block.first, np.concatenate(columns, axis=1, dtype=float))

    def _begin(self, draws: Mapping[str, np.ndarray]) -> None:
        """Choose how much of each variable is kept: all, or its first rows, or nothing."""
        room = MOST
        dims: dict[str, tuple[str, ...]] = {}
        coords = dict(self._coords)
        for name, values in draws.items():
            if self._wanted is not None and name not in self._wanted:
                continue
            shape = values.shape[1:]
            self.quantities += prod(shape)
            rows = min(shape[0], room // max(1, prod(shape[1:]))) if shape else min(1, room)
            if not rows:
                continue
            self._kept[name] = rows if shape else None
            room -= rows * prod(shape[1:])
            dims[name] = tuple(self._dims.get(name, ()))
            if dims[name] and dims[name][0] in coords and shape:
                # Labels of its own: another variable on this axis may keep another number of rows.
                own = f"{name} {dims[name][0]}"
                coords[own] = coords[dims[name][0]][:rows]
                dims[name] = (own, *dims[name][1:])
        self._online = Online(self._number, dims=dims, coords=coords, lags=0)
