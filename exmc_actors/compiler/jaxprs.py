"""Evaluate a jaxpr by equations, calls inlined, so that a rule may compute one of them in another way.

It does not look into loops, conditionals and functions with derivatives of their own: each is one equation.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from jax.extend.core import Literal

Rule: TypeAlias = Callable[[Any, Sequence[Any]], Sequence[Any]]
"""Returns the outputs of an equation, from the equation and the values of its inputs."""

_CALLS = ("jit", "pjit")


def evaluate(rule: Rule, jaxpr: Any, constants: Sequence[Any], *inputs: Any) -> list[Any]:
    """Return the outputs of a jaxpr, each equation that is no call computed by the rule."""
    known: dict[Any, Any] = dict(zip(jaxpr.constvars, constants, strict=True))
    known.update(zip(jaxpr.invars, inputs, strict=True))

    def value_of(atom: Any) -> Any:
        return atom.val if isinstance(atom, Literal) else known[atom]

    for equation in jaxpr.eqns:
        values = [value_of(atom) for atom in equation.invars]
        if equation.primitive.name in _CALLS:
            inner = equation.params["jaxpr"]
            found: Sequence[Any] = evaluate(rule, inner.jaxpr, inner.consts, *values)
        else:
            found = rule(equation, values)
        known.update(zip(equation.outvars, found, strict=True))
    return [value_of(atom) for atom in jaxpr.outvars]


def computed(equation: Any, inputs: Sequence[Any]) -> Sequence[Any]:
    """Return the outputs of an equation as it stands: the rule that changes nothing."""
    primitive = equation.primitive
    found = primitive.bind(*inputs, **primitive.get_bind_params(equation.params))
    return found if primitive.multiple_results else [found]
