"""Compute with NumPy, in float64, what can be known of an expression before sampling.

It computes once, when a model is checked or compiled; nothing here touches JAX.
"""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np

from exmc_actors.model.expression import Apply, Constant, Expression, Index, Literal, Reference
from exmc_actors.model.indexing import plan_index
from exmc_actors.model.operations import OPERATIONS
from exmc_actors.model.shapes import Shape
from exmc_actors.model.traversal import children, postorder

_Function = Callable[..., Any]


def _compared(compare: _Function) -> _Function:
    return lambda a, b: compare(a, b).astype(float)


def _solved(matrix: np.ndarray, b: np.ndarray) -> np.ndarray:
    try:
        return np.asarray(np.linalg.solve(matrix, b))
    except np.linalg.LinAlgError:
        return np.full(b.shape, np.nan)


FUNCTIONS: Mapping[str, _Function] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "power": np.power,
    "matmul": np.matmul,
    "dot": np.dot,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "gt": _compared(np.greater),
    "lt": _compared(np.less),
    "ge": _compared(np.greater_equal),
    "le": _compared(np.less_equal),
    "eq": _compared(np.equal),
    "neq": _compared(np.not_equal),
    "where": lambda condition, a, b: np.where(condition != 0.0, a, b),
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "logaddexp": np.logaddexp,
    "negative": np.negative,
    "abs": np.abs,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "square": np.square,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "arctan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "sum": np.sum,
    "mean": np.mean,
    "prod": np.prod,
    "max": np.max,
    "min": np.min,
    "var": np.var,
    "std": np.std,
    "cumsum": np.cumsum,
    "cumprod": np.cumprod,
    "transpose": np.transpose,
    "solve": _solved,
    "outer": np.outer,
    "concatenate": lambda *arrays, axis: np.concatenate(arrays, axis=axis),
    "stack": lambda *arrays, axis: np.stack(arrays, axis=axis),
}
"""NumPy's functions for the operations that have one; an operation that is not here is never folded."""


_ROOM = 2**27
_TIMES_GIVEN = 64
"""Entries that may be computed at all, and besides for each that is given: a few words ask for any number."""


class Known:
    """What is known of the expressions of one model.

    Args:
      arrays: the values of data inputs and observations, by name.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self._arrays = arrays
        # The node is kept beside its answer: an identity means nothing once its node is gone.
        self._is_known: dict[int, tuple[Expression, bool]] = {}
        self._values: dict[int, tuple[Expression, np.ndarray]] = {}
        self._shapes: dict[int, Shape] = {}
        self._room = _ROOM

    def holds(self, root: Expression) -> bool:
        """Say whether an expression depends on known values only, in a way that NumPy can compute."""
        # What is asked for piece by piece, from the leaves up, is not walked again each time.
        seen = all(id(child) in self._is_known for child in children(root))
        for node in (root,) if seen else postorder((root,)):
            if id(node) not in self._is_known:
                self._is_known[id(node)] = node, self._looked_at(node) and self._has_room(node)
        return self._is_known[id(root)][1]

    def _looked_at(self, node: Expression) -> bool:
        match node:
            case Literal() | Constant():
                return True
            case Reference():
                return node.name in self._arrays
            case Apply():
                parts = node.arguments
                return node.operation in FUNCTIONS and all(self._is_known[id(part)][1] for part in parts)
            case Index():
                return all(self._is_known[id(child)][1] for child in children(node))
        return False

    def _has_room(self, node: Expression) -> bool:
        """Say whether the entries of a value can be held beside those promised so far, by its shape alone."""
        shape = self._shapes[id(node)] = self._shape(node)
        if not isinstance(node, Apply | Index):
            self._room += _TIMES_GIVEN * prod(shape)
        elif prod(shape) > self._room:
            return False
        else:
            self._room -= prod(shape)
        return True

    def _shape(self, node: Expression) -> Shape:
        match node:
            case Apply():
                shapes = [self._shapes[id(argument)] for argument in node.arguments]
                return OPERATIONS[node.operation].shape(shapes, **dict(node.static))
            case Index():
                parts = [self._shapes[id(p)] if isinstance(p, Expression) else p for p in node.parts]
                return plan_index(self._shapes[id(node.base)], parts).shape
        array = self.array(node)
        return () if array is None else array.shape

    def value(self, root: Expression) -> np.ndarray:
        """Return the value of an expression that ``holds``."""
        seen = all(id(child) in self._values for child in children(root))
        with np.errstate(all="ignore"):
            for node in (root,) if seen else postorder((root,)):
                if id(node) not in self._values:
                    self._values[id(node)] = node, np.asarray(self._computed(node), dtype=np.float64)
        return self._values[id(root)][1]

    def array(self, node: Expression) -> np.ndarray | None:
        """Return the array that a node names, as it was given, and None where it names none."""
        if isinstance(node, Constant):
            return node.array
        return self._arrays.get(node.name) if isinstance(node, Reference) else None

    def _computed(self, node: Expression) -> Any:
        match node:
            case Literal():
                return node.value
            case Apply():
                arguments = [self._values[id(argument)][1] for argument in node.arguments]
                return FUNCTIONS[node.operation](*arguments, **dict(node.static))
            case Index():
                base = self._values[id(node.base)][1]
                parts = tuple(self.array(p) if isinstance(p, Expression) else p for p in node.parts)
                return base[parts]
        return self.array(node)
