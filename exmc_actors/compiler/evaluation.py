"""Compute expressions in JAX, each shared part once."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from exmc_actors.compiler.gather import take
from exmc_actors.compiler.structure import Slot
from exmc_actors.model import (
    OPERATIONS,
    Apply,
    Expression,
    Index,
    Literal,
    Reference,
    gathered_parts,
    plan_index,
    postorder,
)


class Evaluation:
    """The values of names, arguments and expressions while one function is traced."""

    def __init__(self, arguments: Sequence[Any]) -> None:
        self.named: dict[str, Any] = {}
        self._arguments = arguments
        self._computed: dict[int, Any] = {}

    def value(self, root: Expression) -> Any:
        """Return an expression's value; what it refers to must be in ``named``."""
        for node in postorder((root,)):
            if id(node) not in self._computed:
                self._computed[id(node)] = self._compute(node)
        return self._computed[id(root)]

    def put(self, node: Expression, value: Any) -> None:
        """Let an expression that has not been computed yet have the given value."""
        self._computed[id(node)] = value

    def _compute(self, node: Expression) -> Any:
        match node:
            case Literal():
                # Everything is computed in float64; a power with a whole exponent is told by its value.
                return float(node.value)
            case Slot():
                return jnp.asarray(self._arguments[node.position])
            case Reference():
                return self.named[node.name]
            case Apply():
                arguments = [self._computed[id(argument)] for argument in node.arguments]
                return OPERATIONS[node.operation].compute(*arguments, **dict(node.static))
            case Index():
                return self._index(node)
        raise AssertionError(f"no value for {type(node).__name__}")

    def _index(self, node: Index) -> Any:
        base = jnp.asarray(self._computed[id(node.base)])
        parts = [self._computed[id(part)] if isinstance(part, Expression) else part for part in node.parts]
        plan = plan_index(base.shape, [getattr(part, "shape", part) for part in parts])
        return take(base, plan, gathered_parts(parts))
