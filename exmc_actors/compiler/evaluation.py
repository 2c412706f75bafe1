"""Compute expressions in JAX, each shared part once."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import lax

from exmc_actors.compiler.gather import take
from exmc_actors.compiler.structure import Slot
from exmc_actors.model import (
    OPERATIONS,
    Apply,
    Expression,
    Index,
    Item,
    Literal,
    Reference,
    Scan,
    children,
    gathered_parts,
    plan_index,
    postorder,
    surroundings,
)


class Evaluation:
    """The values of names, arguments and expressions while one function is traced."""

    def __init__(self, arguments: Sequence[Any]) -> None:
        self.named: dict[str, Any] = {}
        self._arguments = arguments
        self._computed: dict[int, Any] = {}

    def value(self, root: Expression) -> Any:
        """Return an expression's value; what it refers to must be in ``named``."""
        for node in postorder((root,), self._needed):
            if id(node) not in self._computed:
                self._computed[id(node)] = self._compute(node)
        return self._computed[id(root)]

    def _needed(self, node: Expression) -> tuple[Expression, ...]:
        """Return what to compute before a node: of a scan, what its steps find around them."""
        if id(node) in self._computed:
            return ()
        return surroundings(node) if isinstance(node, Scan) else children(node)

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
            case Scan():
                return self._scan(node)
            case Item():
                return self._computed[id(node.scan)][node.position]
        raise AssertionError(f"no value for {type(node).__name__}")

    def _scan(self, node: Scan) -> tuple[Any, ...]:
        """Return the last carried values and the stacked outputs."""

        def step(carried: Sequence[Any], elements: Sequence[Any]) -> tuple[list[Any], list[Any]]:
            inner = Evaluation(self._arguments)
            inner.named, inner._computed = self.named, dict(self._computed)
            values = (*carried, *elements)
            for local, value in zip((*node.carried, *node.elements), values, strict=True):
                inner._computed[id(local)] = value
            updates = [jnp.asarray(inner.value(one), float) for one in node.updates]
            return updates, [jnp.asarray(inner.value(one), float) for one in node.outputs]

        first = [jnp.asarray(self._computed[id(local.source)], float) for local in node.carried]
        sequences = [jnp.asarray(self._computed[id(local.source)]) for local in node.elements]
        last, outputs = lax.scan(step, first, sequences, length=node.length)
        return (*last, *outputs)

    def _index(self, node: Index) -> Any:
        base = jnp.asarray(self._computed[id(node.base)])
        parts = [self._computed[id(part)] if isinstance(part, Expression) else part for part in node.parts]
        plan = plan_index(base.shape, [getattr(part, "shape", part) for part in parts])
        return take(base, plan, gathered_parts(parts))
