"""Read the body of a model's bytes, trusting nothing: types, counts, names and references are checked."""

from dataclasses import MISSING, fields
from math import prod
from typing import Any, NoReturn

import msgpack
import numpy as np

from exmc_actors.errors import ModelError
from exmc_actors.model.coords import check_coords
from exmc_actors.model.distributions import DISTRIBUTIONS, Distribution
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
from exmc_actors.model.model import Model
from exmc_actors.model.operations import OPERATIONS
from exmc_actors.model.sites import Data, Deterministic, Measurement, Observation, Potential, Site, Variable
from exmc_actors.model.transforms import Transform
from exmc_actors.model.vocabulary import TRANSFORMS

_LARGEST_BODY = 2**30
_LARGEST_INTEGER = 2**53
_DTYPES = ("<f8", "<i8", "|b1")
_MOST_AXES = 32
_DEEPEST = 16


def read_body(body: bytes) -> Model:
    """Return the model in ``body``.

    Raises:
      ModelError: saying what is wrong with it.
    """
    if len(body) > _LARGEST_BODY:
        _refuse(f"{len(body)} bytes are more than {_LARGEST_BODY}")
    try:
        content = msgpack.unpackb(body)
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        _refuse(f"not msgpack ({type(error).__name__})")
    if set(_typed(content, dict)) != {"nodes", "sites", "coords"}:
        _refuse(f"unexpected fields {sorted(map(repr, content))}")
    nodes: list[Expression] = []
    for row in _typed(content["nodes"], list):
        nodes.append(_node(row, nodes))
    sites = tuple(_site(row, nodes) for row in _typed(content["sites"], list))
    coords = dict(_row(pair, str, list) for pair in _typed(content["coords"], list))
    return Model(sites, check_coords(coords))


def _refuse(reason: str) -> NoReturn:
    raise ModelError(f"the bytes do not hold a model: {reason}.")


def _typed(value: Any, *kinds: type) -> Any:
    if type(value) not in kinds:
        _refuse(f"{' or '.join(kind.__name__ for kind in kinds)} expected, got {type(value).__name__}")
    if type(value) is int and abs(value) > _LARGEST_INTEGER:
        _refuse("an integer is too large")
    return value


def _row(row: Any, *kinds: Any) -> list[Any]:
    """Return a list whose entries have the given types, in order; a tuple of types allows each."""
    if len(_typed(row, list)) != len(kinds):
        _refuse(f"a row of {len(kinds)} entries expected, got {len(row)}")
    return [
        _typed(value, *(kind if isinstance(kind, tuple) else (kind,)))
        for value, kind in zip(row, kinds, strict=True)
    ]


def _tagged(row: Any) -> tuple[str, list[Any]]:
    if not _typed(row, list):
        _refuse("an empty row")
    return _typed(row[0], str), row[1:]


def _earlier(at: Any, nodes: list[Expression]) -> Expression:
    position: int = _typed(at, int)
    if not 0 <= position < len(nodes):
        _refuse(f"node {position} is referred to before it is written")
    return nodes[position]


def _node(row: Any, nodes: list[Expression]) -> Expression:
    tag, rest = _tagged(row)
    if tag == "literal":
        return Literal(*_row(rest, (float, int, bool)))
    if tag == "constant":
        return Constant(_array(*_row(rest, str, list, bytes)))
    if tag == "reference":
        return Reference(*_row(rest, str))
    if tag == "apply":
        operation, arguments, static = _row(rest, str, list, list)
        return _apply(operation, [_earlier(at, nodes) for at in arguments], static)
    if tag == "index":
        base, parts = _row(rest, int, list)
        return Index(_earlier(base, nodes), tuple(_part(part, nodes) for part in parts))
    if tag == "local":
        source, is_element, position, height = _row(rest, int, bool, int, int)
        if min(position, height) < 0:
            _refuse("a value inside a scan has a negative place or height")
        return Local(_earlier(source, nodes), is_element, position, height)
    if tag == "scan":
        *parts, length = _row(rest, list, list, list, list, (int, type(None)))
        carried, elements, updates, outputs = ([_earlier(at, nodes) for at in part] for part in parts)
        if not all(isinstance(local, Local) for local in carried + elements) or len(updates) != len(carried):
            _refuse("a scan carries something else than its own values")
        return Scan(tuple(carried), tuple(elements), tuple(updates), tuple(outputs), length)  # type: ignore[arg-type]
    if tag == "item":
        at, position = _row(rest, int, int)
        scan = _earlier(at, nodes)
        if not isinstance(scan, Scan) or not 0 <= position < len(scan.updates) + len(scan.outputs):
            _refuse("an item of something else than a scan")
        return Item(scan, position)
    _refuse(f"unknown kind of node {tag!r}")


def _array(dtype: str, shape: list[Any], values: bytes) -> np.ndarray:
    lengths = tuple(_typed(length, int) for length in shape)
    if dtype not in _DTYPES or len(lengths) > _MOST_AXES or min(lengths, default=0) < 0:
        _refuse(f"an array of dtype {dtype!r} and shape {lengths} is not possible")
    if prod(lengths) * np.dtype(dtype).itemsize != len(values):
        _refuse(f"an array of shape {lengths} and dtype {dtype} does not have {len(values)} bytes")
    if dtype == "|b1" and values.strip(b"\0\1"):
        _refuse("a boolean is neither 0 nor 1")
    return np.frombuffer(values, dtype=dtype).reshape(lengths)


def _apply(name: str, arguments: list[Expression], static: list[Any]) -> Apply:
    operation = OPERATIONS.get(name)
    if operation is None:
        _refuse(f"unknown operation {name!r}")
    if len(arguments) != operation.arguments if operation.arguments else not arguments:
        _refuse(f"{name} does not take {len(arguments)} arguments")
    settings = tuple(
        (setting, _setting(value))
        for setting, value in (_row(pair, str, (int, list, type(None))) for pair in static)
    )
    if tuple(setting for setting, _ in settings) != operation.static:
        _refuse(f"{name} takes the settings {operation.static}")
    return Apply(name, tuple(arguments), settings)


def _setting(value: Any) -> Any:
    return tuple(_typed(one, int) for one in value) if isinstance(value, list) else value


def _part(row: Any, nodes: list[Expression]) -> Any:
    tag, rest = _tagged(row)
    if tag == "array":
        return _earlier(_row(rest, int)[0], nodes)
    if tag == "slice":
        optional = (int, type(None))
        return slice(*_row(rest, optional, optional, optional))
    if tag == "at":
        return _row(rest, int)[0]
    if tag in ("new axis", "ellipsis"):
        _row(rest)
        return None if tag == "new axis" else Ellipsis
    _refuse(f"unknown kind of index {tag!r}")


def _site(row: Any, nodes: list[Expression]) -> Site:
    tag, rest = _tagged(row)
    dims = (list, type(None))
    if tag == "data":
        name, value, names = _row(rest, str, int, dims)
        return Data(name, _constant(value, nodes), _dims(names))
    if tag == "variable":
        return _variable(rest, nodes)
    if tag == "observation":
        return _observation(rest, nodes)
    if tag == "measurement":
        name, root, value, variable, weights, names = _row(rest, str, int, int, str, (int, type(None)), dims)
        counts = None if weights is None else _constant(weights, nodes)
        expression = _earlier(root, nodes)
        return Measurement(name, expression, _constant(value, nodes), variable, _dims(names), counts)
    if tag == "deterministic":
        name, root, names = _row(rest, str, int, dims)
        return Deterministic(name, _earlier(root, nodes), _dims(names))
    if tag == "potential":
        name, root = _row(rest, str, int)
        return Potential(name, _earlier(root, nodes))
    _refuse(f"unknown kind of site {tag!r}")


def _observation(row: list[Any], nodes: list[Expression]) -> Observation:
    kinds = (str, list, int, (str, type(None)), (int, type(None)), (list, type(None)))
    name, kind, value, variable, weights, names = _row(row[: len(kinds)], *kinds)
    forms = row[len(kinds) :]
    form = _transform(_row(forms, list)[0], nodes) if forms else None
    counts = None if weights is None else _constant(weights, nodes)
    distribution, array = _distribution(kind, nodes), _constant(value, nodes)
    return Observation(name, distribution, array, _dims(names), variable, counts, form)


def _variable(row: Any, nodes: list[Expression]) -> Variable:
    optional = (list, type(None))
    name, kind, transform, shape, centered, names = _row(
        row, str, list, optional, list, (bool, type(None)), optional
    )
    distribution = _distribution(kind, nodes)
    form = None if transform is None else _transform(transform, nodes)
    lengths = tuple(_typed(length, int) for length in shape)
    return Variable(name, distribution, lengths, _dims(names), form, centered)


def _constant(at: int, nodes: list[Expression]) -> Constant:
    node = _earlier(at, nodes)
    if not isinstance(node, Constant):
        _refuse("data must be an array")
    return node


def _dims(names: Any) -> tuple[str, ...] | None:
    return None if names is None else tuple(_typed(name, str) for name in names)


def _distribution(row: list[Any], nodes: list[Expression], depth: int = 0) -> Distribution:
    kind, values, parts = _row(row, str, list, list)
    leaf = DISTRIBUTIONS.get(kind)
    if leaf is None:
        _refuse(f"unknown distribution {kind!r}")
    if depth > _DEEPEST:
        _refuse(f"distributions are nested more than {_DEEPEST} deep")
    is_whole = len(parts) > 0 if leaf.has_many_parts else len(parts) == (leaf.part_field is not None)
    if not is_whole:
        _refuse(f"{kind} is not made of {len(parts)} distributions")
    nested = [_distribution(_typed(part, list), nodes, depth + 1) for part in parts]
    return leaf.assembled(_parameters(leaf, kind, values, nodes, leaf.part_field), nested)


def _transform(row: list[Any], nodes: list[Expression]) -> Transform:
    kind, values = _row(row, str, list)
    leaf = TRANSFORMS.get(kind)
    if leaf is None:
        _refuse(f"unknown transform {kind!r}")
    return leaf(**_parameters(leaf, kind, values, nodes))


def _parameters(
    leaf: type[Distribution | Transform],
    kind: str,
    rows: list[Any],
    nodes: list[Expression],
    besides: str | None = None,
) -> dict[str, Expression]:
    """Return the parameters by name, as given or by default: all that the leaf needs and no others."""
    pairs = [_row(row, str, int) for row in rows]
    values = {name: _earlier(at, nodes) for name, at in pairs}
    known = {field.name: field.default for field in fields(leaf) if field.name != besides}
    needed = {name for name, default in known.items() if default is MISSING}
    if len(values) < len(pairs) or not needed <= values.keys() <= known.keys():
        _refuse(f"{kind} has the parameters {', '.join(known) or 'none'}, got {', '.join(values) or 'none'}")
    # None stands for what is made of the other parameters.
    optional = {name: known[name] for name in known.keys() - needed if known[name] is not None}
    return {name: as_expression(default) for name, default in optional.items()} | values
