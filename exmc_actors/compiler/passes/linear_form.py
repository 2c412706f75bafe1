"""Find the linear form of an expression for the rows of an observation, where it has one.

What is found depends on the structure of the expression and on shapes alone; the known arrays in the form
are computed with NumPy.
"""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from math import prod

import numpy as np

from exmc_actors.compiler.passes.linear import Block, Column, Gather, Linear
from exmc_actors.model import (
    OPERATIONS,
    Apply,
    Constant,
    Deterministic,
    Expression,
    Index,
    Model,
    Reference,
    Shape,
    postorder,
)
from exmc_actors.model.known import Known
from exmc_actors.model.shapes import stretches_to

_ENTRY_BY_ENTRY = frozenset(name for name, row in OPERATIONS.items() if row.shape is OPERATIONS["exp"].shape)
_NEGATIVE_ONE = np.array(-1.0)


class LinearForms:
    """The forms of the expressions of one model, for rows that are the entries of one shape in order."""

    def __init__(self, model: Model, rows: Shape) -> None:
        self.rows = rows
        self.known = Known(model.scope.arrays)
        self._scope = model.scope
        self._derived: Mapping[str, Expression] = {
            site.name: site.expression for site in model.sites if isinstance(site, Deterministic)
        }
        self._shapes: dict[int, Shape] = {}
        # Each node is kept beside what was found for it, so that its identity stays its own.
        self._forms: dict[int, tuple[Expression, Linear | None]] = {}
        self._lifted: dict[int, tuple[Expression, Gather | None]] = {}

    def of(self, root: Expression) -> Linear | None:
        """Return the form of an expression whose shape stretches to the rows, or None."""
        self._shapes |= self._scope.shapes_within(root)
        for node in postorder((root,)):
            if id(node) not in self._forms:
                self._forms[id(node)] = node, self._find(node)
        return self._forms[id(root)][1]

    def stretched(self, array: np.ndarray) -> np.ndarray:
        """Return an array that stretches to the rows as a number for each row."""
        return np.broadcast_to(np.asarray(array, np.float64), self.rows).reshape(-1)

    def is_single(self, node: Expression) -> bool:
        """Say whether an expression, looked at before, has one entry."""
        return prod(self._shapes[id(node)]) == 1

    def single(self, node: Expression) -> Expression:
        """Return an expression with one entry as one without axes."""
        axes = len(self._shapes[id(node)])
        return Index(node, (0,) * axes) if axes else node

    def _find(self, node: Expression) -> Linear | None:
        if not stretches_to(self._shapes[id(node)], self.rows):
            return None
        if self.known.holds(node):
            return Linear(offset=self.stretched(self.known.value(node)))
        if self.is_single(node):
            return Linear(columns=(Column(None, self.single(node)),))
        # Asked for even where it is not used, so that what is built upon this node need not look down.
        gather = self._gather(node)
        found = self._by_kind(node)
        return Linear(gathers=(gather,)) if found is None and gather is not None else found

    def _by_kind(self, node: Expression) -> Linear | None:
        if isinstance(node, Reference) and node.name in self._derived:
            return self.of(self._derived[node.name])
        if not isinstance(node, Apply):
            return None
        if node.operation in ("matmul", "dot"):
            return self._product(*node.arguments)
        forms = [self._forms[id(argument)][1] for argument in node.arguments]
        known = [form is not None and form.is_known for form in forms]
        match node.operation, forms:
            case "negative", [Linear() as one]:
                return one.weighted(self.stretched(_NEGATIVE_ONE))
            case "add", [Linear() as one, Linear() as other]:
                return one.plus(other)
            case "subtract", [Linear() as one, Linear() as other]:
                return one.plus(other.weighted(self.stretched(_NEGATIVE_ONE)))
            case "multiply", [Linear() as one, Linear() as other]:
                if known[1]:
                    return one.weighted(_offset(other))
                if known[0]:
                    return other.weighted(_offset(one))
                return self._scaled(node)
            case "divide", [Linear() as one, Linear() as other] if known[1]:
                return one.weighted(1.0 / _offset(other))
            case "divide", _:
                return self._scaled(node)
        return None

    def _scaled(self, node: Apply) -> Linear | None:
        """Return a product with, or a quotient by, one computed number."""
        first, second = node.arguments
        if self.is_single(second):
            form, factor = self._forms[id(first)][1], second
        elif node.operation == "multiply" and self.is_single(first):
            form, factor = self._forms[id(second)][1], first
        else:
            return None
        return None if form is None else form.scaled(node.operation, self.single(factor))

    def _product(self, left: Expression, right: Expression) -> Linear | None:
        """Return a known matrix times a computed vector, on either side."""
        shapes = self._shapes[id(left)], self._shapes[id(right)]
        if tuple(map(len, shapes)) == (2, 1) and self.known.holds(left):
            matrix, vector = self.known.value(left), right
        elif tuple(map(len, shapes)) == (1, 2) and self.known.holds(right):
            matrix, vector = self.known.value(right).T, left
        else:
            return None
        whole = np.broadcast_to(matrix, (*self.rows, matrix.shape[1]))
        return Linear(blocks=(Block(whole.reshape(prod(self.rows), matrix.shape[1]), vector),))

    def _gather(self, node: Expression) -> Gather | None:
        """Return the rows as entries of a vector, one computed for each group."""
        if id(node) not in self._lifted:
            self._lifted[id(node)] = node, self._indexed(node) or self._lift(node) or self._along_axis(node)
        return self._lifted[id(node)][1]

    def _indexed(self, node: Expression) -> Gather | None:
        """Return ``vector[positions]``, or ``array[positions, 2]`` and the like."""
        if not isinstance(node, Index):
            return None
        arrays = [part for part in node.parts if isinstance(part, Expression)]
        others = [part for part in node.parts if not isinstance(part, Expression)]
        shape = self._shapes[id(node.base)]
        if len(arrays) != 1 or len(node.parts) != len(shape) or not all(type(p) is int for p in others):
            return None
        axis = next(axis for axis, part in enumerate(node.parts) if part is arrays[0])
        whole = tuple(slice(None) if part is arrays[0] else part for part in node.parts)
        positions = self.known.array(arrays[0])
        assert positions is not None
        size = shape[axis]
        counted = np.broadcast_to(positions % max(size, 1), self.rows).reshape(-1)
        vector = Index(node.base, whole) if others else node.base
        return Gather((self._identity(arrays[0], positions), size), counted, size, vector)

    def _identity(self, node: Expression, positions: np.ndarray) -> object:
        """Return what is equal for positions that are the same in every program of the model.

        An array that was written into the model twice is two nodes with the same entries for good; data
        inputs are replaced one by one.
        """
        if not isinstance(node, Constant):
            return id(positions)
        return positions.shape, blake2b(positions.tobytes()).digest()

    def _lift(self, node: Expression) -> Gather | None:
        """Return an operation on gathers by one grouping as a gather from the operation on their vectors."""
        if isinstance(node, Reference) and node.name in self._derived:
            self.of(self._derived[node.name])
            return self._gather(self._derived[node.name])
        if not isinstance(node, Apply) or node.operation not in _ENTRY_BY_ENTRY:
            return None
        gathers: list[Gather] = []
        arguments: list[Expression] = []
        for argument in node.arguments:
            if self.is_single(argument):
                arguments.append(self.single(argument))
                continue
            gather = None if self.known.holds(argument) else self._gather(argument)
            if gather is None or gather.grouping != (gathers or [gather])[0].grouping:
                return None
            gathers.append(gather)
            arguments.append(gather.vector)
        return replace(gathers[0], vector=replace(node, arguments=tuple(arguments)))

    def _along_axis(self, node: Expression) -> Gather | None:
        """Return an array with one axis longer than 1, repeated along the others, as a gather."""
        shape = self._shapes[id(node)]
        long = [axis for axis, length in enumerate(shape) if length != 1]
        if len(long) != 1:
            return None
        size = shape[long[0]]
        positions = np.broadcast_to(np.arange(size).reshape(shape), self.rows).reshape(-1)
        whole = tuple(slice(None) if axis in long else 0 for axis in range(len(shape)))
        return Gather(("axis", shape), positions, size, Index(node, whole) if len(shape) > 1 else node)


def _offset(known: Linear) -> np.ndarray:
    assert known.offset is not None
    return known.offset
