"""Write expressions, distributions and sites as readable text, cut short where they are long."""

from typing import Any

from exmc_actors.model.expression import (
    Apply,
    Constant,
    Expression,
    Index,
    Item,
    Literal,
    Local,
    Reference,
    Scan,
    as_expression,
)
from exmc_actors.model.operations import OPERATIONS
from exmc_actors.model.traversal import postorder

_LONGEST = 120


def expression_text(root: Expression) -> str:
    """Return the expression as one would write it."""
    texts: dict[int, str] = {}
    for node in postorder((root,)):
        text = _node_text(node, texts)
        texts[id(node)] = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]} ..."
    return texts[id(root)]


def value_text(value: Any) -> str:
    """Return what stands in a parameter: an expression, a name, a number or an array."""
    if isinstance(value, Expression | str | int | float):
        return expression_text(as_expression(value))
    shape = getattr(value, "shape", None)
    return repr(value) if shape is None else f"<array {tuple(shape)}>"


def call_text(name: str, values: Any) -> str:
    """Return ``Name(value, ...)``."""
    return f"{name}({', '.join(map(value_text, values))})"


def _node_text(node: Expression, texts: dict[int, str]) -> str:
    if isinstance(node, Literal):
        return repr(node.value)
    if isinstance(node, Constant):
        return f"<array {node.array.shape}>"
    if isinstance(node, Reference):
        return str(node.name)
    if isinstance(node, Index):
        return f"{_operand(node.base, texts)}[{', '.join(_part_text(part, texts) for part in node.parts)}]"
    if isinstance(node, Apply):
        return _apply_text(node, texts)
    if isinstance(node, Local):
        return f"{'element' if node.is_element else 'carried'}{node.position}"
    if isinstance(node, Item):
        return f"{texts[id(node.scan)]}[{node.position}]"
    if isinstance(node, Scan):
        return f"scan({', '.join(texts[id(one)] for one in (*node.updates, *node.outputs))})"
    return f"<{type(node).__name__.lower()}>"


def _apply_text(node: Apply, texts: dict[int, str]) -> str:
    known = OPERATIONS.get(node.operation)
    if known is not None and known.symbol:
        left, right = (_operand(argument, texts) for argument in node.arguments)
        return f"{left} {known.symbol} {right}"
    if node.operation == "negative":
        return f"-{_operand(node.arguments[0], texts)}"
    settings = [f"{name}={value!r}" for name, value in node.static if value is not None]
    return (
        f"{node.operation}({', '.join([*(texts[id(argument)] for argument in node.arguments), *settings])})"
    )


def _operand(node: Expression, texts: dict[int, str]) -> str:
    """Return the node's text, in brackets where it stands beside another operator."""
    text = texts[id(node)]
    is_infix = isinstance(node, Apply) and (
        node.operation == "negative" or bool(OPERATIONS[node.operation].symbol)
    )
    return f"({text})" if is_infix else text


def _part_text(part: Any, texts: dict[int, str]) -> str:
    if isinstance(part, Expression):
        return texts[id(part)]
    if isinstance(part, slice):
        bounds = ["" if bound is None else str(bound) for bound in (part.start, part.stop, part.step)]
        return ":".join(bounds[:2] if part.step is None else bounds)
    return "..." if part is Ellipsis else repr(part)
