"""Write recurrences as data: a step over handles, recorded once, and the checks of what was recorded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from exmc_actors.errors import ModelError
from exmc_actors.model.expression import Expression, Item, Local, Scan, as_expression
from exmc_actors.model.shapes import Shape, check_size
from exmc_actors.model.traversal import children, postorder, substituted

_DEEPEST = 32
"""Each scan within another is traced inside of its step, and Python's stack is bounded."""


def scan(
    step: Callable[[Any, Any], tuple[Any, Any]], init: Any, sequences: Any = (), length: int | None = None
) -> tuple[Any, Any]:
    """Return the last carried value and the outputs of all steps, stacked along a new first axis.

    The words are those of ``jax.lax.scan``.  ``step`` is called once, with handles, and what it computes is
    recorded; so it must be made of operators and of functions of ``ex.math``.

    Args:
      step: takes the carried value and the element of each sequence, and returns the value to carry on and
        what to put out. Several values are a tuple, none is an empty one.
      init: what is carried at first, one value or a tuple; its shapes stay the same.
      sequences: what to walk along, one value or a tuple, by their first axes, which are of one length.
      length: the number of steps; needed where there are no sequences.

    Raises:
      ModelError: if the step returns something else than as many values as it was given.
    """
    is_counted = isinstance(sequences, tuple) and not sequences
    if is_counted and (type(length) is not int or length < 0):
        raise ModelError(
            f"scan: length must be the number of steps where there are no sequences, got {length!r}."
        )
    carried = tuple(Local(one, False, k, -1) for k, one in enumerate(_several(init)))
    elements = tuple(Local(one, True, k, -1) for k, one in enumerate(_several(sequences)))
    returned = step(_as_given(carried, init), _as_given(elements, sequences))
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise ModelError(
            f"scan: the step must return what to carry on and what to put out, got {returned!r}: "
            "write return carried, output, and () for no output."
        )
    updates, outputs = _several(returned[0]), _several(returned[1])
    if len(updates) != len(carried):
        raise ModelError(
            f"scan: the step was given {len(carried)} value(s) to carry on and returned {len(updates)}: "
            "write return (first, second), output for two, say."
        )
    whole = _with_height(Scan(carried, elements, updates, outputs, length))
    items = tuple(Item(whole, k) for k in range(len(updates) + len(outputs)))
    return _as_given(items[: len(updates)], init), _as_given(items[len(updates) :], returned[1])


def _with_height(scan: Scan) -> Scan:
    """Return the scan with its own values told from those of the scans inside it."""
    inner = (node.height for node in postorder((*scan.updates, *scan.outputs)) if isinstance(node, Local))
    height = 1 + max(inner, default=-1)
    own = (*scan.carried, *scan.elements)
    new: dict[int, Expression] = {id(local): replace(local, height=height) for local in own}
    (risen,) = substituted((scan,), new)
    assert isinstance(risen, Scan)
    return risen


def _several(given: Any) -> tuple[Expression, ...]:
    return tuple(map(as_expression, given if isinstance(given, tuple) else (given,)))


def _as_given(values: Sequence[Any], given: Any) -> Any:
    return tuple(values) if isinstance(given, tuple) else values[0]


def surroundings(scan: Scan) -> tuple[Expression, ...]:
    """Return what is the same in every step and is computed before the first."""
    return _surroundings(scan, {})


def _surroundings(scan: Scan, found: dict[int, tuple[Expression, ...]]) -> tuple[Expression, ...]:
    """Return the same, where each scan inside is looked at once: each level would double the work."""
    if id(scan) in found:
        return found[id(scan)]
    own = {id(local) for local in (*scan.carried, *scan.elements)}

    def needed(node: Expression) -> tuple[Expression, ...]:
        if id(node) in own:
            return ()
        return _surroundings(node, found) if isinstance(node, Scan) else children(node)

    dependent = set(own)
    around: dict[int, Expression] = {}
    for node in postorder((*scan.updates, *scan.outputs), needed):
        if id(node) in own or any(id(child) in dependent for child in needed(node)):
            dependent.add(id(node))
        else:
            around[id(node)] = node
    sources = (local.source for local in (*scan.carried, *scan.elements))
    found[id(scan)] = (*sources, *around.values())
    return found[id(scan)]


def check_locals(root: Expression) -> None:
    """Refuse a value of a scan's step that is used outside of the step, and a scan that is used whole."""
    free: dict[int, frozenset[int]] = {}
    depth: dict[int, int] = {}
    for node in postorder((root,)):
        inner = frozenset[int]().union(*(free[id(child)] for child in children(node)))
        if isinstance(node, Local):
            inner |= {id(node)}
        elif isinstance(node, Scan):
            sources = (free[id(local.source)] for local in (*node.carried, *node.elements))
            inner = (inner - {id(local) for local in (*node.carried, *node.elements)}).union(*sources)
        free[id(node)] = inner
        depth[id(node)] = _depth(node, depth)
        if depth[id(node)] > _DEEPEST:
            raise ModelError(
                f"scans are nested more than {_DEEPEST} deep: carry several values in one instead."
            )
        if not isinstance(node, Item) and any(isinstance(child, Scan) for child in children(node)):
            raise ModelError("a scan is used whole: take what it carries last, or its outputs.")
    if free[id(root)] or isinstance(root, Scan):
        raise ModelError(
            "a value inside the step of a scan is used outside of it: let the step put it out, "
            "and use the output."
        )


def _depth(node: Expression, depth: Mapping[int, int]) -> int:
    """Return how many scans lie one within the other in a node, given that of what it is computed from."""
    # What a scan begins with, or walks along, is outside of it.
    if isinstance(node, Local):
        return 0
    deepest = max((depth[id(child)] for child in children(node)), default=0)
    return deepest + 1 if isinstance(node, Scan) else deepest


def local_shape(local: Local, source: Shape) -> Shape:
    """Return the shape of a value inside a step, whose source has the given one."""
    if not local.is_element:
        return source
    if not source:
        raise ModelError(
            "a scan walks along the first axis of its sequences, and one of them is a number: "
            "let the step use the number as it is, or carry it in init."
        )
    return source[1:]


def check_scan(scan: Scan, shapes: Mapping[int, Shape]) -> None:
    """Refuse sequences of several lengths, and what changes its shape on the way."""
    lengths = {shapes[id(local.source)][0] for local in scan.elements}
    if scan.length is not None:
        lengths.add(scan.length)
    if len(lengths) != 1:
        said = " and ".join(map(str, sorted(lengths))) or "none"
        raise ModelError(
            f"a scan needs one number of steps, got {said}: "
            "give sequences whose first axes have one length, and leave length out or let it be the same."
        )
    check_size(tuple(lengths))
    for local, update in zip(scan.carried, scan.updates, strict=True):
        before, after = shapes[id(local)], shapes[id(update)]
        if before != after:
            raise ModelError(
                f"what a scan carries must keep its shape, got {before} before a step and {after} after it: "
                "let init have the shape that the step returns."
            )


def item_shape(item: Item, shapes: Mapping[int, Shape]) -> Shape:
    """Return the shape of a result."""
    scan, count = item.scan, len(item.scan.updates)
    if item.position < count:
        return shapes[id(scan.updates[item.position])]
    steps = scan.length if not scan.elements else shapes[id(scan.elements[0].source)][0]
    assert steps is not None
    return check_size((steps, *shapes[id(scan.outputs[item.position - count])]))
