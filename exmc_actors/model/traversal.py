"""Walk and rebuild expressions, visiting a shared node once and however deep the graph is."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from exmc_actors.model.expression import Apply, Expression, Index, Reference


def children(node: Expression) -> tuple[Expression, ...]:
    """Return what a node is computed from."""
    if isinstance(node, Apply):
        return node.arguments
    if isinstance(node, Index):
        return (node.base, *(part for part in node.parts if isinstance(part, Expression)))
    return ()


def postorder(roots: Iterable[Expression]) -> Iterator[Expression]:
    """Yield every node that the roots need, each once, arguments before what is computed from them."""
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
            stack.extend((child, False) for child in reversed(children(node)))


def with_children(node: Expression, new: Callable[[Expression], Expression]) -> Expression:
    """Return ``node`` with each child replaced; the node itself where nothing changes."""
    if all(new(child) is child for child in children(node)):
        return node
    if isinstance(node, Apply):
        return replace(node, arguments=tuple(new(argument) for argument in node.arguments))
    assert isinstance(node, Index)
    parts = tuple(new(part) if isinstance(part, Expression) else part for part in node.parts)
    return replace(node, base=new(node.base), parts=parts)


def references(roots: Iterable[Expression]) -> tuple[str, ...]:
    """Return the names that the roots refer to directly, each once, in order of appearance."""
    return tuple(dict.fromkeys(node.name for node in postorder(roots) if isinstance(node, Reference)))
