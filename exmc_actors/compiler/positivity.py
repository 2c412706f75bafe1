"""Tell which expressions are positive wherever the density is not zero, so that no evaluation need look."""

from collections.abc import Iterable

from exmc_actors.compiler.structure import Slot, Term
from exmc_actors.model import (
    Apply,
    AtLeast,
    Deterministic,
    Expression,
    Index,
    Interval,
    Literal,
    NonNegative,
    Positive,
    Reference,
    Simplex,
    Support,
    UnitInterval,
    Variable,
    as_expression,
    postorder,
)

_ALWAYS = frozenset(("cosh", "erfc", "exp", "exp_sum", "ndtr", "sigmoid", "softmax", "softplus"))
_OF_POSITIVE_NAMES = """
    abs add arctan concatenate cumprod cumsum divide dot erf expm1 log1p matmul max maximum mean min minimum
    multiply outer prod sinh sqrt square stack sum tanh transpose
"""
_OF_POSITIVE = frozenset(_OF_POSITIVE_NAMES.split())
"""What is positive where all of its arguments are."""


class Positivity:
    """What is known to be positive of the values of one structure."""

    def __init__(self, terms: Iterable[Term]) -> None:
        self._named: dict[str, bool] = {}
        for term in terms:  # in the order of declaration: what a term refers to is known before it
            self._named[term.name] = self._of(term)

    def holds(self, root: Expression) -> bool:
        """Say whether every entry of a parameter that must be positive is known to be.

        An array that is itself the parameter was looked at when it was declared.
        """
        return isinstance(root, Slot) or self._is_positive(root)

    def _is_positive(self, root: Expression) -> bool:
        known: dict[int, bool] = {}
        for node in postorder((root,)):
            known[id(node)] = self._by_kind(node, known)
        return known[id(root)]

    def _by_kind(self, node: Expression, known: dict[int, bool]) -> bool:
        match node:
            case Literal():
                return node.value > 0.0
            case Reference():
                return self._named[node.name]
            case Index():
                return known[id(node.base)]
            case Apply(operation="where"):
                return all(known[id(argument)] for argument in node.arguments[1:])
            case Apply(operation="power"):
                return known[id(node.arguments[0])]
            case Apply():
                all_are = all(known[id(argument)] for argument in node.arguments)
                return node.operation in _ALWAYS or (node.operation in _OF_POSITIVE and all_are)
        return False

    def _of(self, term: Term) -> bool:
        if isinstance(term, Variable):
            return _is_above_zero(term.distribution.support)
        return isinstance(term, Deterministic) and self._is_positive(term.expression)


def _is_above_zero(support: Support) -> bool:
    """Say whether a variable is positive: at zero itself, where a support begins, no chain can be."""
    if isinstance(support, AtLeast | Interval):
        low = as_expression(support.low)
        return isinstance(low, Literal) and low.value >= 0.0
    return isinstance(support, Positive | NonNegative | UnitInterval | Simplex)
