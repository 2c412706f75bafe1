"""Hold the linear form of many rows: known arrays, times a few computed numbers and vectors.

"Linear" is in what is computed once for all rows, whatever is inside it: ``X @ exp(b)`` is linear in
``exp(b)``, and ``(mu + tau * z)[group]`` in the vector that is indexed.
"""

from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import TypeAlias

import numpy as np

from exmc_actors.model import Apply, Expression, Literal

Weights: TypeAlias = np.ndarray | None
"""A number for each row; None for ones, which is a fact about the model and not about its data."""


@dataclass(frozen=True, eq=False)
class Column:
    """A number for each row, times one computed number."""

    weights: Weights
    coefficient: Expression


@dataclass(frozen=True, eq=False)
class Block:
    """A known matrix times a computed vector."""

    matrix: np.ndarray
    coefficients: Expression


@dataclass(frozen=True, eq=False)
class Gather:
    """For each row an entry of a computed vector, times a number."""

    grouping: object
    """Equal for two gathers by the same positions."""
    positions: np.ndarray
    size: int
    vector: Expression
    weights: Weights = None

    @property
    def is_along_axis(self) -> bool:
        """Whether the positions count along an axis: then, without repetition, they are those of the rows."""
        return isinstance(self.grouping, tuple) and self.grouping[0] == "axis"


@dataclass(frozen=True, eq=False)
class Linear:
    """The sum of what is known and of terms of three kinds."""

    offset: np.ndarray | None = None
    columns: tuple[Column, ...] = ()
    blocks: tuple[Block, ...] = ()
    gathers: tuple[Gather, ...] = ()

    def plus(self, other: "Linear") -> "Linear":
        """Return the sum of two forms."""
        both = [offset for offset in (self.offset, other.offset) if offset is not None]
        return Linear(
            sum(both[1:], both[0]) if both else None,
            self.columns + other.columns,
            self.blocks + other.blocks,
            self.gathers + other.gathers,
        )

    def weighted(self, weights: np.ndarray) -> "Linear":
        """Return the form with each row multiplied by its weight."""

        def by(given: Weights) -> np.ndarray:
            return weights if given is None else given * weights

        return Linear(
            None if self.offset is None else self.offset * weights,
            tuple(replace(one, weights=by(one.weights)) for one in self.columns),
            tuple(replace(one, matrix=one.matrix * weights[:, None]) for one in self.blocks),
            tuple(replace(one, weights=by(one.weights)) for one in self.gathers),
        )

    def scaled(self, operation: str, factor: Expression) -> "Linear":
        """Return the form multiplied or divided by one computed number."""

        def by(value: Expression) -> Expression:
            return Apply(operation, (value, factor))

        known = () if self.offset is None else (Column(self.offset, by(Literal(1.0))),)
        return Linear(
            None,
            known + tuple(replace(one, coefficient=by(one.coefficient)) for one in self.columns),
            tuple(replace(one, coefficients=by(one.coefficients)) for one in self.blocks),
            tuple(replace(one, vector=by(one.vector)) for one in self.gathers),
        )

    def merged(self) -> "Linear":
        """Return the form with the terms that have the same rows added up."""
        plain = [one.coefficient for one in self.columns if one.weights is None]
        columns = tuple(one for one in self.columns if one.weights is not None)
        gathers: dict[object, Gather] = {}
        for one in self.gathers:
            # A weighted gather stands for itself: whether two weights are equal is not looked at.
            rows = one.grouping if one.weights is None else one
            before = gathers.get(rows)
            gathers[rows] = replace(before, vector=before.vector + one.vector) if before else one
        constant = (Column(None, reduce(add, plain)),) if plain else ()
        ordered = sorted(gathers.values(), key=lambda one: one.weights is not None)
        return Linear(self.offset, constant + columns, self.blocks, tuple(ordered))

    @property
    def is_known(self) -> bool:
        """Whether nothing in it is computed while sampling."""
        return not (self.columns or self.blocks or self.gathers)
