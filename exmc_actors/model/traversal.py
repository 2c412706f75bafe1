"""Walk and rebuild expressions, visiting a shared node once and however deep the graph is."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from exmc_actors.model.expression import Apply, Expression, Index, Item, Local, Reference, Scan


def children(node: Expression) -> tuple[Expression, ...]:
    """Return what a node is computed from."""
    if isinstance(node, Apply):
        return node.arguments
    if isinstance(node, Index):
        return (node.base, *(part for part in node.parts if isinstance(part, Expression)))
    if isinstance(node, Local):
        return (node.source,)
    if isinstance(node, Scan):
        return (*node.carried, *node.elements, *node.updates, *node.outputs)
    return (node.scan,) if isinstance(node, Item) else ()


def postorder(
    roots: Iterable[Expression], needed: Callable[[Expression], tuple[Expression, ...]] = children
) -> Iterator[Expression]:
    """Yield every node that the roots need, each once, arguments before what is computed from them.

    Args:
      roots: where to begin; they come last.
      needed: what a node is computed from.
    """
    done: set[int] = set()
    stack = [(root, False) for root in reversed(tuple(roots))]
    while stack:
        node, expanded = stack.pop()
        if id(node) in done:
            continue
        if expanded:
            done.add(id(node))
            yield node
        else:
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(needed(node)))


def with_children(node: Expression, new: Callable[[Expression], Expression]) -> Expression:
    """Return ``node`` with each child replaced; the node itself where nothing changes."""
    if all(new(child) is child for child in children(node)):
        return node
    if isinstance(node, Apply):
        return replace(node, arguments=tuple(new(argument) for argument in node.arguments))
    if isinstance(node, Local):
        return replace(node, source=new(node.source))
    if isinstance(node, Scan):
        return _with_steps(node, new)
    if isinstance(node, Item):
        scan = new(node.scan)
        assert isinstance(scan, Scan)
        return replace(node, scan=scan)
    assert isinstance(node, Index)
    parts = tuple(new(part) if isinstance(part, Expression) else part for part in node.parts)
    return replace(node, base=new(node.base), parts=parts)


def substituted(roots: Iterable[Expression], new: dict[int, Expression]) -> tuple[Expression, ...]:
    """Return the roots with some nodes, given by their identities, replaced wherever they occur."""
    roots = tuple(roots)
    rebuilt = dict(new)
    for node in postorder(roots):
        if id(node) not in rebuilt:
            rebuilt[id(node)] = with_children(node, lambda child: rebuilt[id(child)])
    return tuple(rebuilt[id(root)] for root in roots)


def _with_steps(node: Scan, new: Callable[[Expression], Expression]) -> Scan:
    def locals_of(values: tuple[Local, ...]) -> tuple[Local, ...]:
        return tuple(local for local in map(new, values) if isinstance(local, Local))

    return replace(
        node,
        carried=locals_of(node.carried),
        elements=locals_of(node.elements),
        updates=tuple(map(new, node.updates)),
        outputs=tuple(map(new, node.outputs)),
    )


def references(roots: Iterable[Expression]) -> tuple[str, ...]:
    """Return the names that the roots refer to directly, each once, in order of appearance."""
    return tuple(dict.fromkeys(node.name for node in postorder(roots) if isinstance(node, Reference)))
