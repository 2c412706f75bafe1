"""Turn a model into bytes and hostile bytes into a model, or into a refusal; no code travels.

Layout: the mark, a version, a CRC-32 of the rest, and the rest in msgpack: a table of expression nodes
that refer to earlier nodes by position, the sites, the coordinates.  Equal nodes share a row, so that the
structure's digest does not depend on how the expressions were put together.
"""

import hashlib
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

import msgpack
import numpy as np

from exmc_actors.errors import ModelError
from exmc_actors.model.distributions import Custom, Distribution
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
)
from exmc_actors.model.model import Model
from exmc_actors.model.sites import Data, Deterministic, Measurement, Observation, Potential, Site, Variable
from exmc_actors.model.transforms import Transform
from exmc_actors.model.traversal import postorder

MARK = b"exmc-model"
VERSION = 1
HEADER = struct.Struct(f">{len(MARK)}sHI")


def encode_model(model: Model) -> bytes:
    """Return the model and its data as bytes."""
    writer = _Writer(with_values=True)
    sites = [writer.site(site) for site in model.sites]
    coords = [[name, list(labels)] for name, labels in model.coords.items()]
    body: bytes = msgpack.packb({"nodes": writer.rows, "sites": sites, "coords": coords})
    return HEADER.pack(MARK, VERSION, zlib.crc32(body)) + body


def structure_digest(model: Model) -> str:
    """Return a digest of everything that decides what is compiled."""
    writer = _Writer(with_values=False)
    sites = [writer.site(site) for site in model.sites]
    return hashlib.sha256(msgpack.packb([VERSION, writer.rows, sites])).hexdigest()


@dataclass
class _Writer:
    with_values: bool
    rows: list[Any] = field(default_factory=list)
    positions: dict[Any, int] = field(default_factory=dict)

    def node(self, root: Expression) -> int:
        at: dict[int, int] = {}
        for node in postorder((root,)):
            identity, row = self._row(node, at)
            if identity not in self.positions:
                self.positions[identity] = len(self.rows)
                self.rows.append(row)
            at[id(node)] = self.positions[identity]
        return at[id(root)]

    def _row(self, node: Expression, at: dict[int, int]) -> tuple[Any, list[Any]]:
        """Return what makes the node equal to another, and how it is written."""
        match node:
            case Literal():
                # 1, 1.0 and True are equal in Python, and -0.0 equals 0.0; here they differ.
                return ("literal", repr(node.value)), ["literal", node.value]
            case Constant():
                return ("constant", id(node.array)), ["constant", *self._array(node.array)]
            case Reference():
                row: list[Any] = ["reference", node.name]
            case Apply():
                row = ["apply", node.operation, [at[id(a)] for a in node.arguments], _plain(node.static)]
            case Index():
                row = ["index", at[id(node.base)], [_part(part, at) for part in node.parts]]
            case Local():
                row = ["local", at[id(node.source)], node.is_element, node.position, node.height]
            case Scan():
                parts = (node.carried, node.elements, node.updates, node.outputs)
                row = ["scan", *([at[id(one)] for one in part] for part in parts), node.length]
            case Item():
                row = ["item", at[id(node.scan)], node.position]
            case _:
                raise AssertionError(f"no row for {type(node).__name__}")
        return repr(row), row

    def _array(self, array: np.ndarray) -> list[Any]:
        values = [array.tobytes()] if self.with_values else []
        return [array.dtype.str, list(array.shape), *values]

    def site(self, site: Site) -> list[Any]:
        dims = (
            list(site.dims)
            if self.with_values and not isinstance(site, Potential) and site.dims is not None
            else None
        )
        match site:
            case Data():
                return ["data", site.name, self.node(site.value), dims]
            case Variable():
                form = None if site.transform is None else self._leaf(site.transform)
                kind = self._distribution(site.distribution)
                return ["variable", site.name, kind, form, list(site.shape), site.centered, dims]
            case Observation():
                kind, value = self._distribution(site.distribution), self.node(site.value)
                weights = None if site.weights is None else self.node(site.weights)
                # Left out where there is none, so that bytes and digests of earlier models stay as they are.
                form = [] if site.transform is None else [self._leaf(site.transform)]
                return ["observation", site.name, kind, value, site.variable, weights, dims, *form]
            case Measurement():
                root, value = self.node(site.expression), self.node(site.value)
                weights = None if site.weights is None else self.node(site.weights)
                return ["measurement", site.name, root, value, site.variable, weights, dims]
            case Deterministic():
                return ["deterministic", site.name, self.node(site.expression), dims]
            case Potential():
                return ["potential", site.name, self.node(site.expression)]

    def _distribution(self, distribution: Distribution) -> list[Any]:
        row = self._leaf(distribution)
        if isinstance(distribution, Custom):
            if self.with_values:
                raise ModelError(
                    f"{distribution!r} is a function of your own, and a model's bytes hold no code: keep the "
                    "model in this process, or build it of the library's distributions and b.potential(...)."
                )
            row[0] = f"Custom {distribution.identity}"
        return [*row, [self._distribution(part) for part in distribution.parts]]

    def _leaf(self, leaf: Distribution | Transform) -> list[Any]:
        return [type(leaf).__name__, [[name, self.node(value)] for name, value in leaf.parameters.items()]]


def _plain(value: Any) -> Any:
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _part(part: Any, at: dict[int, int]) -> list[Any]:
    if isinstance(part, Expression):
        return ["array", at[id(part)]]
    if isinstance(part, slice):
        return ["slice", part.start, part.stop, part.step]
    if isinstance(part, int):
        return ["at", part]
    return ["new axis" if part is None else "ellipsis"]


def decode_model(data: bytes) -> Model:
    """Return the model that was written; everything in the bytes is checked.

    Raises:
      ModelError: if they were not written by ``encode_model`` of this version.
    """
    from exmc_actors.model.reader import read_body

    if not isinstance(data, bytes | bytearray | memoryview) or len(data) < HEADER.size:
        raise ModelError("these are not the bytes of a model: model.to_bytes() makes them.")
    mark, version, checksum = HEADER.unpack_from(data)
    if mark != MARK:
        raise ModelError("these are not the bytes of a model: model.to_bytes() makes them.")
    if version != VERSION:
        raise ModelError(f"the model is written in version {version}, this library reads version {VERSION}.")
    body = bytes(data[HEADER.size :])
    if zlib.crc32(body) != checksum:
        raise ModelError("the bytes of the model are damaged: their checksum does not fit.")
    return read_body(body)
