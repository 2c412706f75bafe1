"""Decide, by shapes alone, how to write a linear form: as columns, and effects of at most one grouping."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from exmc_actors.compiler.passes.linear import Gather, Linear, Weights
from exmc_actors.model import Apply, Constant, Expression, frozen_array

_WORTH_WHILE = 0.5
"""The reduced form must take at most this part of the multiplications of the rows."""


def constant(array: Any) -> Constant:
    """Return an array of the compiler's own as a node."""
    return Constant(frozen_array(array, "an array"))


@dataclass(frozen=True, eq=False)
class Rows:
    """A linear form of ``count`` rows."""

    count: int
    form: Linear
    """The columns."""
    spread: tuple[Gather, ...]
    """Gathers that are written as one column for each group."""
    effects: tuple[Gather, ...]
    """Gathers by one grouping, which stay vectors with an entry for each group."""

    @property
    def width(self) -> int:
        """The number of columns."""
        blocks: int = sum(block.matrix.shape[1] for block in self.form.blocks)
        return len(self.form.columns) + blocks + sum(gather.size for gather in self.spread)

    @property
    def groups(self) -> int:
        """The number of groups, those without rows included; 0 without effects."""
        return self.effects[0].size if self.effects else 0

    @property
    def cost(self) -> int:
        """How many multiplications their squared length takes when they are reduced."""
        columns = self.width + 1
        vectors = len(self.effects)
        return min(self.count, columns) * columns + self.groups * vectors * (columns + vectors + 1)

    @property
    def text(self) -> str:
        """What they are reduced to, in words."""
        left = [f"{min(self.count, self.width + 1)}"]
        left += [f"{len(self.effects)} for each of {self.groups} groups"] if self.effects else []
        return f"{self.count} rows of a linear mean as {' and '.join(left)}"

    def matrix(self) -> np.ndarray:
        """Return all columns, in the order in which ``residual`` takes them."""
        columns = [filled(column.weights, self.count)[:, None] for column in self.form.columns]
        blocks = [block.matrix for block in self.form.blocks]
        return np.concatenate(
            [np.zeros((self.count, 0)), *columns, *blocks, *map(_spread, self.spread)], axis=1
        )

    def explaining(self) -> np.ndarray:
        """Return the weights of the effects as columns."""
        return np.column_stack([filled(gather.weights, self.count) for gather in self.effects])

    def residual(self, table: np.ndarray) -> Expression:
        """Return the last column of ``table`` minus the others times the coefficients."""
        vectors = [(block.coefficients, block.matrix.shape[1]) for block in self.form.blocks]
        vectors += [(gather.vector, gather.size) for gather in self.spread]
        result: Expression = constant(table[:, -1])
        for at, column in enumerate(self.form.columns):
            result = result - constant(table[:, at]) * column.coefficient
        at = len(self.form.columns)
        for coefficients, width in vectors:
            # The long axis last, where the processor can take several entries at once.
            result = result - Apply("dot", (coefficients, constant(table[:, at : at + width].T)))
            at += width
        return result


def reduced_rows(mean: Linear, count: int) -> Rows | None:
    """Return the cheapest way to reduce a mean of ``count`` rows, or None where the rows are as cheap."""
    form = mean.merged()
    groupings = (None, *(gather.grouping for gather in form.gathers))
    best = min((_with_effects(form, grouping, count) for grouping in groupings), key=lambda rows: rows.cost)
    width: int = len(form.columns) + sum(block.matrix.shape[1] for block in form.blocks)
    # An entry of an indexed vector costs about two multiplications, and so does what is not in the mean.
    before = count * (width + 2 * len(form.gathers) + 2)
    return best if best.cost <= _WORTH_WHILE * before else None


def _with_effects(form: Linear, grouping: object, count: int) -> Rows:
    effects = tuple(gather for gather in form.gathers if gather.grouping == grouping)
    spread = tuple(gather for gather in form.gathers if gather.grouping != grouping)
    columns = form.columns
    if columns and columns[0].weights is None and effects and effects[0].weights is None:
        # What is added to every row is added to every group.
        vector = effects[0].vector + columns[0].coefficient
        effects, columns = (replace(effects[0], vector=vector), *effects[1:]), columns[1:]
    return Rows(count, replace(form, columns=columns), spread, effects)


def _spread(gather: Gather) -> np.ndarray:
    rows = np.zeros((gather.positions.size, gather.size))
    rows[np.arange(gather.positions.size), gather.positions] = filled(gather.weights, gather.positions.size)
    return rows


def filled(weights: Weights, count: int) -> np.ndarray:
    """Return weights as numbers."""
    return np.ones(count) if weights is None else weights
