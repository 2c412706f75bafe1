"""Take the logarithm of an exponential from its exponent, in whatever function of arrays JAX can trace.

A scale that is ``exp(x)``, or a positive variable, which is one too, has its logarithm in the normaliser.
XLA drops that logarithm, but keeps its slope, ``exp(x) / exp(x)``.  The logarithm is followed through what
moves entries about, and through products, quotients, powers and roots; not into or out of loops,
conditionals and functions with derivatives of their own.

It is more than exact: where ``exp(x)`` is rounded to zero or to infinity, the logarithm is right, and so is
its slope, which was NaN.  What else a density does with the rounded value is left as it is: a Normal's
kernel at a scale of zero is still ``-inf``, and NaN at the mean.  ``exp(log(x))`` is left alone: below zero
it is NaN.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from exmc_actors.compiler.jaxprs import computed, evaluate

_OF_PARTS: Mapping[str, Callable[..., Any]] = {
    "mul": lambda a, b: a + b,
    "div": lambda a, b: a - b,
    "sqrt": lambda a: 0.5 * a,
    "rsqrt": lambda a: -0.5 * a,
    "square": lambda a: 2.0 * a,
    "abs": lambda a: a,
    "integer_pow": lambda a, y: y * a,
}
"""The logarithm of an operation's result from those of its inputs and its whole-number parameters."""

_MOVES = frozenset(("broadcast_in_dim", "reshape", "squeeze", "slice", "transpose", "rev", "copy"))
"""What only moves entries about: the logarithm of the result is the result for the logarithm."""


def with_known_logarithms(function: Callable[..., Any], *inputs: Any) -> Any:
    """Return ``function(*inputs)``, computed without the logarithms of exponentials; traced by JAX."""
    return _Evaluation().result(function, *inputs)


def dropped_logarithms(function: Callable[..., Any], *inputs: Any) -> tuple[tuple[int, ...], ...]:
    """Return the shape of each logarithm that the function is computed without; nothing is compiled."""
    evaluation = _Evaluation()
    jax.make_jaxpr(lambda *traced: evaluation.result(function, *traced))(*inputs)
    return tuple(evaluation.dropped)


class _Evaluation:
    """The logarithms that are known while one function is evaluated."""

    def __init__(self) -> None:
        self.dropped: list[tuple[int, ...]] = []
        # By identity; the value is kept beside it, so that no other can have its id.
        self._known: dict[int, tuple[Any, Callable[[], Any]]] = {}

    def result(self, function: Callable[..., Any], *inputs: Any) -> Any:
        """Return what the function returns."""
        traced, shapes = jax.make_jaxpr(function, return_shape=True)(*inputs)
        leaves = evaluate(self._rule, traced.jaxpr, traced.consts, *jax.tree.leaves(inputs))
        return jax.tree.unflatten(jax.tree.structure(shapes), leaves)

    def _rule(self, equation: Any, inputs: Sequence[Any]) -> Sequence[Any]:
        name = equation.primitive.name
        logarithm = self._logarithm(inputs[0]) if name == "log" else None
        if logarithm is not None and not _is_number(inputs[0]):
            self.dropped.append(jnp.shape(inputs[0]))
            return [logarithm()]
        found = computed(equation, inputs)
        logarithm = self._logarithm_of_result(equation, inputs)
        if logarithm is not None:
            self._known[id(found[0])] = found[0], logarithm
        return found

    def _logarithm(self, value: Any) -> Callable[[], Any] | None:
        """Return how to compute the logarithm of a value without it, or None."""
        if _is_number(value):
            return (lambda: np.log(value)) if value > 0 else None
        return self._known[id(value)][1] if id(value) in self._known else None

    def _logarithm_of_result(self, equation: Any, inputs: Sequence[Any]) -> Callable[[], Any] | None:
        name = equation.primitive.name
        if name == "exp":
            return lambda: inputs[0]
        if name not in _OF_PARTS and name not in _MOVES:
            return None
        parts = [part for one in inputs if (part := self._logarithm(one)) is not None]
        if len(parts) < len(inputs) or all(map(_is_number, inputs)):
            return None
        if name in _MOVES:
            return lambda: computed(equation, [part() for part in parts])[0]
        power = {"y": equation.params["y"]} if name == "integer_pow" else {}
        return lambda: _OF_PARTS[name](*(part() for part in parts), **power)


def _is_number(value: Any) -> bool:
    """Say whether it is a number that was written into the function."""
    return not isinstance(value, jax.Array) and np.ndim(value) == 0
