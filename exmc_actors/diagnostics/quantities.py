"""Name every scalar of a posterior and hand its draws out, variable by variable; it estimates nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from exmc_actors.arguments import names
from exmc_actors.errors import SettingsError

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Quantities:
    """Scalars of one variable."""

    names: list[str]
    """``tau``, ``theta[0]``, or with labels ``theta[Choate]``."""
    draws: np.ndarray
    """Shape (quantity, chain, draw), in any layout; maybe a view of the posterior's."""


def posterior_of(tree: xr.DataTree) -> xr.Dataset:
    """Return the posterior of a tree, or refuse with what the tree has instead."""
    if not (hasattr(tree, "children") and hasattr(tree, "attrs")):
        raise SettingsError(
            f"an xarray.DataTree with a group 'posterior' is needed, got one of type {type(tree).__name__}: "
            "write xarray.DataTree.from_dict({'posterior': dataset}), or idata.to_datatree() for ArviZ."
        )
    if "posterior" not in tree.children:
        groups = ", ".join(tree.children) or "no group at all"
        raise SettingsError(f"A DataTree with a group 'posterior' is needed; this one has {groups}.")
    return tree.children["posterior"].to_dataset()


def names_in(var_names: str | Sequence[str]) -> list[str]:
    """Return the names asked for as a list; what is no name, and no list of names, is refused."""
    return list(names("var_names", var_names) or ())


def chosen_variables(
    posterior: xr.Dataset, var_names: str | Sequence[str] | None, group: str = "the posterior"
) -> list[str]:
    """Return the names of the variables asked for, all without a wish; an unknown one is refused.

    Args:
        posterior: where they are looked for.
        var_names: as it was given.
        group: what to call ``posterior`` in a sentence.
    """
    known = [str(name) for name in posterior.data_vars]
    if var_names is None:
        return known
    wanted = names_in(var_names)
    for name in wanted:
        if name not in known:
            nearest = get_close_matches(name, known, n=1)
            advice = f"did you mean {nearest[0]!r}?" if nearest else f"there are {', '.join(known)}."
            raise SettingsError(f"var_names has {name!r}, which {group} lacks: {advice}")
    return wanted


def count_quantities(posterior: xr.Dataset) -> int:
    """Return how many scalars the posterior has."""
    return sum(_size(posterior.variables[name]) for name in posterior.data_vars)


def quantities(posterior: xr.Dataset, var_names: Sequence[str], *, stride: int = 1) -> Iterator[Quantities]:
    """Yield the scalars of each variable in turn; with a stride only some of them, evenly spread over all.

    Args:
        posterior: dimensions ``chain`` and ``draw``, and any others.
        var_names: of variables that are there.
        stride: one quantity is taken of so many, counted through all variables.
    """
    passed = 0
    known = {axis: axis_labels(posterior[axis].values) for axis in _labelled(posterior, var_names)}
    for name in var_names:
        variable = by_chain_and_draw(posterior, name)
        size = _size(variable)
        first = -passed % stride
        picks = np.arange(first, size, stride)
        passed += size
        draws = variable.values.reshape(*variable.shape[:2], size)[:, :, first::stride]
        if stride > 1:  # the rest may be let go of
            draws = draws.copy()
        labels = [known.get(str(axis), range(size)) for axis in variable.dims[2:]]
        yield Quantities(scalar_names(name, labels, variable.shape[2:], picks), np.moveaxis(draws, 2, 0))


def by_chain_and_draw(dataset: xr.Dataset, name: str) -> xr.Variable:
    """Return a variable whose first axes are ``chain`` and ``draw``, without its coordinates.

    Raises:
        SettingsError: it has no draws, or they are no numbers.
    """
    # Not dataset[name].transpose: collecting the coordinates costs more than judging a quantity.
    variable = dataset.variables[name]
    if variable.dtype.kind not in "biuf":
        raise SettingsError(
            f"{name} must hold real numbers, it holds {variable.dtype}: take what is no draw out of its "
            "group by drop_vars, or turn it into numbers by astype(float)."
        )
    if variable.dims[:2] == ("chain", "draw"):
        return variable
    if not {"chain", "draw"} <= set(variable.dims):
        axes = ", ".join(map(str, variable.dims)) or "none"
        raise SettingsError(
            f"{name} must have the dimensions chain and draw, it has {axes}: take what is no draw out of its "
            "group by drop_vars."
        )
    return variable.transpose("chain", "draw", ...)


def _size(variable: xr.Variable) -> int:
    return prod(n for axis, n in variable.sizes.items() if axis not in ("chain", "draw"))


def _labelled(posterior: xr.Dataset, var_names: Sequence[str]) -> set[str]:
    axes = {str(axis) for name in var_names for axis in posterior.variables[name].dims}
    return {axis for axis in axes - {"chain", "draw"} if axis in posterior.coords}


def axis_labels(given: Sequence[Any] | np.ndarray) -> Sequence[Any]:
    """Return labels of an axis that tell its elements apart: numbers where two of those given read alike.

    They are for people, and may go to a terminal: what cannot be printed is written as in Python's literals.
    """
    labels = [_visible(str(label)) for label in given]
    return labels if len(set(labels)) == len(labels) else range(len(labels))


def _visible(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def scalar_names(name: str, labels: Sequence[Any], shape: tuple[int, ...], picks: np.ndarray) -> list[str]:
    """Return the names of some scalars of a variable, by labels of its axes that tell all scalars apart."""
    if not shape:
        return [name] * len(picks)
    axes = [known[:size] for known, size in zip(labels, shape, strict=True)]
    if _run_together(axes):
        axes = [range(size) for size in shape]
    places = np.unravel_index(picks, shape)
    columns = [[str(known[i]) for i in place] for known, place in zip(axes, places, strict=True)]
    return [f"{name}[{', '.join(row)}]" for row in zip(*columns, strict=True)]


def _run_together(axes: Sequence[Sequence[Any]]) -> bool:
    """Whether the labels of two elements, side by side, read alike; only where several axes have commas."""
    with_commas = [axis for axis in axes if not isinstance(axis, range) and any(", " in one for one in axis)]
    if len(with_commas) < 2:
        return False
    texts = [", ".join(map(str, labels)) for labels in product(*axes)]
    return len(set(texts)) < len(texts)
