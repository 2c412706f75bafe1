"""Lay finished draws out as an xarray DataTree in ArviZ's schema; it copies no draws and writes no files."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from exmc_actors.messages import STAT_TYPES

if TYPE_CHECKING:
    import xarray as xr

Arrays = Mapping[str, np.ndarray]
"""Arrays by variable name."""
_DRAWS = ("chain", "draw")
"""The first axes of what was sampled."""

ORIGIN = ("created_at", "inference_library", "inference_library_version")
"""The attributes that every group carries; the root and the posterior carry all."""

LONGEST_LIST = 1024
"""HDF5 gives an attribute 64 kB; longer lists travel as text, which it stores elsewhere."""


def build(  # noqa: PLR0913 - one keyword a group of the schema
    posterior: Arrays,
    sample_stats: Arrays,
    *,
    warmup_posterior: Arrays | None = None,
    warmup_sample_stats: Arrays | None = None,
    failed_posterior: Arrays | None = None,
    failed_sample_stats: Arrays | None = None,
    unfinished_posterior: Arrays | None = None,
    unfinished_sample_stats: Arrays | None = None,
    observed_data: Arrays | None = None,
    constant_data: Arrays | None = None,
    dims: Mapping[str, Sequence[str]],
    coords: Mapping[str, Any],
    attrs: Mapping[str, Any],
    chains: Sequence[int] | None = None,
    failed_chains: Sequence[int] | None = None,
    unfinished_chains: Sequence[int] | None = None,
) -> xr.DataTree:
    """Return the groups that are not empty, each dimension with a coordinate, each attribute fit for netCDF.

    Args:
        posterior: each of shape (chain, draw, *shape); taken as they are, not copied, here and below.
        sample_stats: each of shape (chain, draw).
        warmup_posterior: as ``posterior``, before the first kept draw.
        warmup_sample_stats: as ``sample_stats``, before the first kept draw.
        failed_posterior: what there is of the chains that gave up.
        failed_sample_stats: what there is of the chains that gave up, as it is: NaN fills shorter ones up.
        unfinished_posterior: what there is of chains that ended before the others, but did not fail.
        unfinished_sample_stats: what there is of them, filled up in the same way.
        observed_data: by name of the observed variable.
        constant_data: by name of the named input.
        dims: names of a variable's axes after chain and draw; an axis without one becomes ``{var}_dim_0``.
        coords: labels by name of dimension; a dimension without them counts from 0.
        attrs: ``created_at`` and ``inference_library_version`` among them, since no clock is read here.
        chains: numbers of the chains in ``posterior``, where some are elsewhere.
        failed_chains: numbers of the chains in ``failed_posterior``.
        unfinished_chains: numbers of the chains in ``unfinished_posterior``.
    """
    attrs = {"inference_library": "exmc_actors", **plain_attributes(attrs)}
    origin = {name: value for name, value in attrs.items() if name in ORIGIN}
    labels = Labels(dims, coords)
    groups: dict[str, xr.Dataset] = {}
    for beginning, draws, stats, numbers in (
        ("", posterior, _typed(sample_stats), chains),
        ("warmup_", warmup_posterior, _typed(warmup_sample_stats), chains),
        ("failed_", failed_posterior, failed_sample_stats, failed_chains),
        ("unfinished_", unfinished_posterior, unfinished_sample_stats, unfinished_chains),
    ):
        pair = {f"{beginning}posterior": draws, f"{beginning}sample_stats": stats}
        groups |= labels.datasets(pair, origin, numbers)
    for name, arrays in (("observed_data", observed_data), ("constant_data", constant_data)):
        if arrays:
            groups[name] = labels.dataset(arrays, (), origin, None)
    return _tree_of(groups, attrs)


def load_libraries() -> None:
    """Import what ``build`` imports where it is first called, which takes some tenths of a second."""
    import xarray  # noqa: F401


def _tree_of(groups: Mapping[str, xr.Dataset], attrs: dict[str, Any]) -> xr.DataTree:
    """Return a tree whose root and posterior have the attributes."""
    import xarray as xr

    tree = xr.DataTree()
    # Groups that are given to the constructor, or set one by one, are copied once more.
    tree.children = {name: xr.DataTree(dataset=group) for name, group in groups.items()}
    tree.attrs = attrs
    if "posterior" in groups:
        tree.children["posterior"].attrs = attrs
    return tree


def plain_attributes(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes as netCDF can hold them: numbers, text, flat lists of either.

    Anything else becomes JSON; what is None is left out.
    """
    return {name: _plain(value) for name, value in attrs.items() if value is not None}


class Labels:
    """The names and the labels of axes."""

    def __init__(self, dims: Mapping[str, Sequence[str]], coords: Mapping[str, Any]) -> None:
        self._dims = dims
        self._coords = coords

    def datasets(
        self,
        groups: Mapping[str, Arrays | None],
        attrs: Mapping[str, Any],
        chains: Sequence[int] | None,
    ) -> dict[str, xr.Dataset]:
        """Return groups of the same chains and draws as datasets; those without arrays are left out.

        They are made as one, of which each takes its part, since most of what a dataset costs does not
        depend on how many variables it has; unless a name, of a variable or an axis, is in two of them.
        """
        import xarray as xr

        parts = {name: self._variables(arrays, _DRAWS, chains) for name, arrays in groups.items() if arrays}
        names = [name for part in parts.values() for name in part if name not in _DRAWS]
        if len(parts) < 2 or len(set(names)) < len(names):
            return {name: xr.Dataset(part, attrs=attrs) for name, part in parts.items()}
        whole = xr.Dataset(dict(itertools.chain(*(part.items() for part in parts.values()))), attrs=attrs)
        return {name: whole[list(part)] for name, part in parts.items()}

    def dataset(
        self, arrays: Arrays, leading: tuple[str, ...], attrs: Mapping[str, Any], chains: Sequence[int] | None
    ) -> xr.Dataset:
        """Return arrays whose first axes are ``leading`` as a dataset, each axis with a coordinate."""
        import xarray as xr

        return xr.Dataset(self._variables(arrays, leading, chains), attrs=attrs)

    def _variables(
        self, arrays: Arrays, leading: tuple[str, ...], chains: Sequence[int] | None
    ) -> dict[str, xr.Variable]:
        """Return the variables of a dataset, those of its axes last: each is named like its axis.

        As ``coords`` of a dataset, xarray would copy them first.
        """
        import xarray as xr

        variables: dict[str, xr.Variable] = {}
        sizes: dict[str, int] = {}
        for name, values in arrays.items():
            array = np.asarray(values)
            axes = leading + self.axes(name, array.ndim - len(leading))
            variables[name] = xr.Variable(axes, array, fastpath=True)
            sizes.update(zip(axes, array.shape, strict=True))
        assert sizes.keys().isdisjoint(variables), "a variable has the name of an axis"  # models see to it
        for axis, size in sizes.items():
            is_numbered = axis == "chain" and chains is not None
            labels = np.asarray(chains) if is_numbered else self.along(axis, size)
            variables[axis] = xr.Variable((axis,), labels, fastpath=True)
        return variables

    def axes(self, name: str, number: int) -> tuple[str, ...]:
        """Return the names of the first axes of a variable after chain and draw."""
        named = tuple(self._dims.get(name, ()))[:number]
        return named + tuple(f"{name}_dim_{position}" for position in range(len(named), number))

    def along(self, axis: str, size: int) -> np.ndarray:
        """Return the labels of an axis of that length; numbers from 0 where it has none."""
        labels = self._coords.get(axis)
        # Labels of another length belong to other data; they are no reason to lose finished draws.
        return np.asarray(labels) if labels is not None and len(labels) == size else np.arange(size)


def _typed(stats: Arrays | None) -> Arrays | None:
    return stats and {
        name: array.astype(STAT_TYPES[name], copy=False) if name in STAT_TYPES else array
        for name, array in stats.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        # HDF5 refuses the null character, and text that is no UTF-8.
        return value.replace("\0", "").encode(errors="replace").decode()
    if isinstance(value, bool | np.bool_ | Integral):
        return int(value) if abs(int(value)) < 1 << 63 else str(value)  # HDF5 has no longer integers
    if isinstance(value, Real):
        return float(value)
    items = value.tolist() if isinstance(value, np.ndarray) else value
    if isinstance(items, list | tuple) and 0 < len(items) <= LONGEST_LIST:
        plain = [_plain(item) for item in items if isinstance(item, str | Real | np.bool_)]
        if len(plain) == len(items) and len({isinstance(item, str) for item in plain}) == 1:
            return plain
    return json.dumps(items, default=str)
