"""Read the draws that a model needs from a tree, and add groups of draws to it; nothing is drawn here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from exmc_actors.diagnostics.datatree import ORIGIN, Arrays, Labels, plain_attributes
from exmc_actors.diagnostics.quantities import by_chain_and_draw, posterior_of
from exmc_actors.errors import SettingsError

if TYPE_CHECKING:
    import xarray as xr

_SHOWN = 5
"""Labels of an axis that a sentence names."""


def build_prior(
    prior: Arrays,
    prior_predictive: Arrays,
    *,
    observed_data: Arrays,
    constant_data: Arrays,
    dims: Mapping[str, Sequence[str]],
    coords: Mapping[str, Any],
    attrs: Mapping[str, Any],
) -> xr.DataTree:
    """Return a tree of draws from the prior: the groups that are not empty.

    Args:
        prior: each of shape (chain, draw, *shape).
        prior_predictive: likewise.
        observed_data: by name of the observed variable.
        constant_data: by name of the named input.
        dims: names of a variable's axes after chain and draw.
        coords: labels by name of dimension.
        attrs: of the root and of ``prior``; each group has those that say where it comes from.
    """
    import xarray as xr

    plain = _with_origin(attrs)
    origin = {name: value for name, value in plain.items() if name in ORIGIN}
    labels = Labels(dims, coords)
    groups = {
        "prior": (prior, ("chain", "draw"), plain),
        "prior_predictive": (prior_predictive, ("chain", "draw"), origin),
        "observed_data": (observed_data, (), origin),
        "constant_data": (constant_data, (), origin),
    }
    children = {
        name: xr.DataTree(dataset=labels.dataset(arrays, leading, given, None))
        for name, (arrays, leading, given) in groups.items()
        if arrays
    }
    return xr.DataTree(dataset=xr.Dataset(attrs=plain), children=children)


def with_group(
    tree: xr.DataTree,
    name: str,
    arrays: Arrays,
    *,
    dims: Mapping[str, Sequence[str]],
    coords: Mapping[str, Any],
    attrs: Mapping[str, Any],
) -> xr.DataTree:
    """Return the tree with a group that has the chains and the draws of its posterior; no draw is copied.

    Args:
        tree: with a group ``posterior``; it stays as it is.
        name: of the group; one that is there is replaced.
        arrays: each of shape (chain, draw, *shape).
        dims: names of a variable's axes after chain and draw.
        coords: labels by name of dimension.
        attrs: of the group.
    """
    import xarray as xr

    group = Labels(dims, coords).dataset(arrays, ("chain", "draw"), _with_origin(attrs), None)
    posterior = posterior_of(tree)
    numbers = {axis: posterior.coords[axis] for axis in ("chain", "draw") if axis in posterior.coords}
    group = group.assign_coords(numbers)
    extended = _with_room_for(group, tree.copy(deep=False))
    extended[name] = xr.DataTree(dataset=group)
    return extended


def _with_room_for(group: xr.Dataset, tree: xr.DataTree) -> xr.DataTree:
    """Return a tree where each group has for itself the labels that all shared and this one has otherwise."""
    import xarray as xr

    shared = tree.to_dataset().xindexes
    others = [
        axis for axis in shared if axis in group.sizes and not shared[axis].equals(group.xindexes[axis])
    ]
    if not others:
        return tree
    groups = {node.path: node.to_dataset() for node in tree.subtree}
    return xr.DataTree.from_dict(groups | {"/": tree.to_dataset().drop_vars(others)})


def draws_of(
    tree: xr.DataTree,
    shapes: Mapping[str, tuple[int, ...]],
    dims: Mapping[str, Sequence[str]],
    coords: Mapping[str, Sequence[Any]],
) -> tuple[dict[str, np.ndarray], tuple[int, int]]:
    """Return a posterior's draws of some variables, of shape (chain times draw, *shape), and both counts.

    They are in the order of the model's labels, whichever the order of the posterior's.

    Args:
        tree: with a group ``posterior``.
        shapes: of the variables, as the model has them.
        dims: names of a variable's axes, where they have names.
        coords: labels by name of dimension, as the model has them.

    Raises:
        SettingsError: a variable is missing or has another shape or other labels, or there are no draws.
    """
    posterior = posterior_of(tree)
    if not posterior.sizes.keys() >= {"chain", "draw"}:
        axes = ", ".join(map(str, posterior.sizes)) or "none"
        raise SettingsError(f"the posterior must have the dimensions chain and draw, it has {axes}.")
    counts = posterior.sizes["chain"], posterior.sizes["draw"]
    if 0 in counts:
        raise SettingsError(f"the posterior has {counts[0]} chains of {counts[1]} draws: sample first.")
    missing = [name for name in shapes if name not in posterior.data_vars]
    if missing:
        known = ", ".join(map(str, posterior.data_vars)) or "no variable"
        raise SettingsError(
            f"the posterior lacks {', '.join(missing)}, on which the prediction depends; it has {known}. "
            "Sample without var_names, or with these among them."
        )
    labels = Labels(dims, coords)
    return {name: _flat(posterior, name, shape, labels) for name, shape in shapes.items()}, counts


def _flat(posterior: xr.Dataset, name: str, shape: tuple[int, ...], labels: Labels) -> np.ndarray:
    by_chain_and_draw(posterior, name)  # refuses what is no draws
    variable = posterior[name]
    axes = labels.axes(name, len(shape))
    is_named = set(axes) <= set(variable.dims)
    variable = variable.transpose("chain", "draw", *(axes if is_named else ()), ...)
    if variable.shape[2:] != shape:
        raise SettingsError(
            f"{name} has shape {variable.shape[2:]} in the posterior and {shape} in the model: "
            "data may have other lengths than when it was sampled, free variables must keep theirs."
        )
    if is_named:
        for axis, size in zip(axes, shape, strict=True):
            variable = _in_order(variable, axis, labels.along(axis, size))
    draws = variable.values
    return draws.reshape(draws.shape[0] * draws.shape[1], *shape).astype(np.float64, copy=False)


def _in_order(variable: xr.DataArray, axis: str, wanted: np.ndarray) -> xr.DataArray:
    """Return a variable in the order of the model's labels, where it has labels to go by."""
    import pandas as pd

    if axis not in variable.coords:
        return variable
    have, want = (pd.Index(labels, tupleize_cols=False) for labels in (variable.coords[axis].values, wanted))
    if have.equals(want):
        return variable
    if have.is_unique and want.is_unique and ((places := have.get_indexer(want)) >= 0).all():
        return variable.isel({axis: places})
    # Labels that only count say nothing of what stands there.
    if any(index.equals(pd.RangeIndex(len(index))) for index in (have, want)):
        return variable
    raise SettingsError(
        f"{variable.name} has the labels {_some(have)} along {axis} in the posterior and {_some(want)} in "
        "the model: free variables must keep their labels, each of which stands once, in any order; if "
        f'places are to count, set tree["posterior"] = tree.posterior.to_dataset().drop_vars({axis!r}) first.'
    )


def _some(labels: Iterable[Any]) -> str:
    shown = [str(label) for label in islice(labels, _SHOWN + 1)]
    return ", ".join(shown if len(shown) <= _SHOWN else [*shown[:_SHOWN], "..."])


def _with_origin(attrs: Mapping[str, Any]) -> dict[str, Any]:
    return {"inference_library": "exmc_actors", **plain_attributes(attrs)}
