"""Order models of the same observations by how well they predict; the estimates come from elsewhere."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from exmc_actors.diagnostics.elpd import Elpd, standard_error_of_sum, weights_of
from exmc_actors.diagnostics.predictive_accuracy import loo_with_doubt
from exmc_actors.diagnostics.stacking import stacking_weights
from exmc_actors.errors import SamplingWarning, SettingsError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("rank", "elpd", "p", "elpd_diff", "weight", "se", "dse", "warning")


def compare(models: Mapping[str, Any], var_name: str | None = None) -> pd.DataFrame:
    """Return one row a model, the best first, with ArviZ's columns.

    ``elpd_diff`` is how much less than the best it predicts, ``dse`` the standard error of that difference,
    and ``weight`` the model's share in that mixture of all which predicts best (stacking).

    Args:
        models: trees with a group ``log_likelihood``, or what ``loo`` or ``waic`` returned, by name.
        var_name: the observed variable, where the trees have several.

    Raises:
        SettingsError: a tree cannot be used, or the models do not predict the same observations.

    Warns:
        SamplingWarning: as ``loo``, with the name of the model.

    References:
        Yao, Vehtari, Simpson & Gelman (2018), *Using stacking to average Bayesian predictive distributions*.
    """
    import pandas as pd

    if not isinstance(models, Mapping) or not models:
        raise SettingsError(
            f"compare takes a dict of trees by name, got {models!r}: write {{'a': tree_a, ...}}."
        )
    estimates: dict[str, Elpd] = {}
    for name, model in models.items():
        if str(name) in estimates:
            raise SettingsError(f"two models are called {str(name)!r}: give each a name of its own.")
        estimates[str(name)] = _estimate(str(name), model, var_name)
    names = sorted(estimates, key=lambda name: -estimates[name].elpd)
    for name in names[1:]:
        estimates[name] = _in_order_of(estimates[names[0]], estimates[name])
        _check_same(names[0], estimates[names[0]], name, estimates[name])
    counts = weights_of(estimates[names[0]].elpd_i) > 0.0
    pointwise = np.stack([estimates[name].elpd_i.values[counts] for name in names], axis=1)
    behind = pointwise[:, :1] - pointwise
    weights = stacking_weights(pointwise)
    rows = [
        (
            rank,
            estimates[name].elpd,
            estimates[name].p,
            behind[:, rank].sum(),
            weights[rank],
            estimates[name].se,
            standard_error_of_sum(behind[:, rank]),
            estimates[name].warning,
        )
        for rank, name in enumerate(names)
    ]
    return pd.DataFrame(rows, index=pd.Index(names), columns=list(COLUMNS))


def _estimate(name: str, model: Any, var_name: str | None) -> Elpd:
    if isinstance(model, Elpd):
        return model
    try:
        found, doubt = loo_with_doubt(model, var_name)
    except SettingsError as error:
        raise SettingsError(f"{name}: {error}") from None
    if doubt:
        warnings.warn(f"{name}: {doubt}", SamplingWarning, stacklevel=3)
    return found


def _check_same(first: str, one: Elpd, second: str, other: Elpd) -> None:
    """Refuse estimates that are not of the same observations."""
    if one.kind != other.kind:
        raise SettingsError(
            f"{first} has {one.kind} and {second} {other.kind}: compare estimates of one kind."
        )
    if one.var_name != other.var_name:
        raise SettingsError(
            f"{first} predicts {one.var_name!r} and {second} {other.var_name!r}: only predictions of the "
            "same observations, under one name, can be compared."
        )
    shapes = one.elpd_i.shape, other.elpd_i.shape
    if shapes[0] != shapes[1]:
        raise SettingsError(
            f"{first} has observations of {one.var_name} in shape {shapes[0]} and {second} in {shapes[1]}: "
            "only predictions of the same observations can be compared."
        )
    if not np.array_equal(weights_of(one.elpd_i), weights_of(other.elpd_i)):
        raise SettingsError(
            f"{first} and {second} give the observations of {one.var_name} other weights: only predictions "
            "of the same observations can be compared."
        )
    if one.observed is not None and other.observed is not None:
        _check_equal(first, np.asarray(one.observed), second, np.asarray(other.observed), one.var_name)


def _check_equal(first: str, one: np.ndarray, second: str, other: np.ndarray, name: str) -> None:
    where = ""
    if one.shape == other.shape:
        differs = _differs(one, other)
        if not differs.any():
            return
        at = tuple(int(i) for i in np.unravel_index(int(np.argmax(differs)), one.shape))
        where = f"; entry {list(at)} is {one[at]} and {other[at]}"
    raise SettingsError(
        f"{first} and {second} observe other values of {name}{where}: only predictions of the same "
        "observations can be compared."
    )


def _differs(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Say which entries are not the same, in the coarser precision of the two; what is missing in both is."""
    import pandas as pd

    precisions = [array.dtype for array in (one, other) if array.dtype.kind == "f"]
    if precisions and {one.dtype.kind, other.dtype.kind} <= set("biuf"):
        coarser = min(precisions, key=lambda precision: precision.itemsize)
        with np.errstate(over="ignore"):
            one, other = one.astype(coarser), other.astype(coarser)
    differs: np.ndarray = (one != other) & ~(pd.isna(one) & pd.isna(other))
    return differs


def _in_order_of(first: Elpd, other: Elpd) -> Elpd:
    """Return an estimate with its observations in the order of the first one's, where labels tell it."""
    picks = {}
    for axis, wanted in zip(other.elpd_i.dims, first.elpd_i.dims, strict=False):
        have, want = other.elpd_i.indexes.get(axis), first.elpd_i.indexes.get(wanted)
        if have is None or want is None or len(have) != len(want) or not (have.is_unique and want.is_unique):
            continue
        places = have.get_indexer(want)
        if (places >= 0).all():
            picks[axis] = places
    observed = other.observed
    return replace(
        other,
        elpd_i=other.elpd_i.isel(picks),
        observed=None if observed is None else observed.isel(picks, missing_dims="ignore"),
    )
