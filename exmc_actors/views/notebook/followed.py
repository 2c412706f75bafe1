"""Estimate what a picture shows while draws come, for the first so many quantities of a model.

A picture has room for a few quantities, and estimating thousands would take the chains' cores.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from exmc_actors.diagnostics import Online, OnlineSummary
from exmc_actors.diagnostics.online.layout import scalars
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
        """How many elements of each variable; None where that is all, in its own shape."""
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
        draws = {name: _first(block.draws[name], most) for name, most in self._kept.items()}
        if draws:
            self._online.observe(replace(block, draws=draws))
            columns = [values.reshape(len(block), -1) for values in draws.values()]
            self._traces.add(block.chain, block.first, np.concatenate(columns, axis=1, dtype=float))

    def _begin(self, draws: Mapping[str, np.ndarray]) -> None:
        """Choose what is kept: variables as they are, the first elements of one more, of others nothing."""
        room = MOST
        dims: dict[str, Sequence[str]] = {}
        coords = dict(self._coords)
        for name, values in draws.items():
            if self._wanted is not None and name not in self._wanted:
                continue
            shape, size = values.shape[1:], prod(values.shape[1:])
            self.quantities += size
            kept = min(size, room)
            room -= kept
            if not kept:
                continue
            self._kept[name] = None if kept == size else kept
            dims[name] = self._dims.get(name, ())
            if kept < size:
                names = scalars(name, shape, dims[name], self._coords, kept)
                own = f"{name} elements"
                dims[name], coords[own] = (own,), [one[len(name) + 1 : -1] for one in names]
        self._online = Online(self._number, dims=dims, coords=coords, lags=0)


def _first(values: np.ndarray, most: int | None) -> np.ndarray:
    """Return a variable's draws, or those of its first elements, side by side."""
    return values if most is None else values.reshape(len(values), -1)[:, :most]
