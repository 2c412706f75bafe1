"""Split a rewritten model into what is compiled and what is passed to it: structure, and arrays."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from exmc_actors.compiler.layout import Layout
from exmc_actors.model import (
    Constant,
    Data,
    Deterministic,
    Distribution,
    Expression,
    Index,
    Model,
    Observation,
    Potential,
    Reference,
    Shape,
    Site,
    Transform,
    Variable,
    map_parameters,
    plan_index,
    postorder,
    with_children,
)


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Slot(Expression):
    """The argument of the program at a position: what stands in for an array."""

    position: int
    shape: Shape


@dataclass(frozen=True, eq=False)
class Positions:
    """An argument that holds positions along an axis."""

    slot: Slot
    length: int
    """Of the axis."""


@dataclass(frozen=True, eq=False)
class Observed:
    """An observation whose data is an argument."""

    name: str
    distribution: Distribution
    value: Slot
    is_inside: bool
    """Whether the data is known to lie in the support, so that the program need not look."""
    weights: Slot | None = None
    """How often each event counts."""
    transform: Transform | None = None
    """What says of the value what the distribution does not."""
    positions: tuple[Positions, ...] = ()
    """The data again, as arguments that are indices."""


Term: TypeAlias = Variable | Observed | Deterministic | Potential


@dataclass(frozen=True, eq=False)
class Structure:
    """What is compiled.  It holds no data, and two of the same key are interchangeable."""

    key: str
    terms: tuple[Term, ...]
    layout: Layout
    """Of the unconstrained vector: the free variables."""
    values_layout: Layout
    """Of the constrained values: the free variables, then the deterministics."""

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Structure) and self.key == other.key


def split(model: Model) -> tuple[Structure, tuple[np.ndarray, ...]]:
    """Return the structure of a model that has been through the passes, and the arrays that it takes.

    Arrays are float64, in order of first use; positions are int32, counted from the left.
    """
    splitter = _Splitter(model)
    terms = splitter.terms(site for site in model.sites if not isinstance(site, Data))
    free = [(site.name, site.shape) for site in model.free]
    unconstrained = [(site.name, _unconstrained_shape(site)) for site in model.free]
    derived = [
        (site.name, model.shapes[site.name]) for site in model.sites if isinstance(site, Deterministic)
    ]
    structure = Structure(model.key, terms, Layout.of(unconstrained), Layout.of(free + derived))
    return structure, tuple(splitter.arguments)


def _unconstrained_shape(site: Variable) -> Shape:
    assert site.transform is not None
    return site.transform.unconstrained_shape(site.shape)


class _Splitter:
    def __init__(self, model: Model) -> None:
        self.scope = model.scope
        self.arguments: list[np.ndarray] = []
        self._slots: dict[object, Slot] = {}
        self._rebuilt: dict[int, Expression] = {}
        self._positions: dict[tuple[int, int], Positions] = {}
        """By the identity of the array and the length of the axis."""

    def terms(self, sites: Iterable[Site]) -> tuple[Term, ...]:
        # Only when all are made is it known which observations are indices of later declarations.
        made = [(site, self._term(site)) for site in sites]
        return tuple(
            replace(term, positions=self._positions_of(site.value.array))
            if isinstance(site, Observation) and isinstance(term, Observed)
            else term
            for site, term in made
        )

    def _positions_of(self, array: np.ndarray) -> tuple[Positions, ...]:
        return tuple(found for (identity, _), found in self._positions.items() if identity == id(array))

    def _term(self, site: Site) -> Term:
        match site:
            case Variable():
                assert site.transform is not None
                return replace(
                    site,
                    distribution=map_parameters(site.distribution, self.expression),
                    transform=site.transform.with_parameters(self.expression),
                )
            case Observation():
                inside = site.distribution.support.is_known
                value = self._array(site.value.array)
                distribution = map_parameters(site.distribution, self.expression)
                weights = None if site.weights is None else self._array(site.weights.array)
                return Observed(site.name, distribution, value, inside, weights, site.transform)
            case Deterministic() | Potential():
                return replace(site, expression=self.expression(site.expression))
        raise AssertionError(f"no term for {type(site).__name__}")

    def expression(self, root: Expression) -> Expression:
        """Return the expression with a slot for every array; parts that were shared still are."""
        shapes: dict[int, Shape] = {}
        for node in postorder((root,)):
            if id(node) in self._rebuilt:
                continue
            if isinstance(node, Index):
                shapes = shapes or self.scope.shapes_within(root)
                self._rebuilt[id(node)] = self._index(node, shapes)
            elif not isinstance(node, Constant | Reference):
                self._rebuilt[id(node)] = with_children(node, self._new)
        return self._new(root)

    def _new(self, node: Expression) -> Expression:
        array = self._known_array(node)
        return self._rebuilt.get(id(node), node) if array is None else self._array(array)

    def _known_array(self, node: Expression) -> np.ndarray | None:
        if isinstance(node, Constant):
            return node.array
        return self.scope.arrays.get(node.name) if isinstance(node, Reference) else None

    def _index(self, node: Index, shapes: dict[int, Shape]) -> Index:
        plan = plan_index(shapes[id(node.base)], [shapes.get(id(p), p) for p in node.parts])
        lengths = iter([plan.sliced[axis] for axis in plan.gathered])
        parts = []
        for part in node.parts:
            gathers = bool(plan.gathered) and isinstance(part, Expression | int)
            length = next(lengths) if gathers else 0
            array = self._known_array(part) if isinstance(part, Expression) else None
            parts.append(part if array is None else self._counted(array, length))
        return Index(self._new(node.base), tuple(parts))

    def _array(self, array: np.ndarray) -> Slot:
        return self._slot(id(array), lambda: np.asarray(array, np.float64), array.shape)

    def _counted(self, array: np.ndarray, length: int) -> Slot:
        """Return the slot of an array of positions, counted from the left."""
        identity = (id(array), length)
        slot = self._slot(identity, lambda: np.asarray(array % max(length, 1), np.int32), array.shape)
        self._positions[identity] = Positions(slot, length)
        return slot

    def _slot(self, identity: object, make: Callable[[], np.ndarray], shape: Shape) -> Slot:
        if identity not in self._slots:
            self._slots[identity] = Slot(len(self.arguments), shape)
            self.arguments.append(make())
            self.arguments[-1].flags.writeable = False
        return self._slots[identity]
