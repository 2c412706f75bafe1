"""Split an observation with missing entries into what is known and a variable for what is not."""

import warnings
from typing import Any

import numpy as np

from exmc_actors.errors import ModelError, ModelWarning
from exmc_actors.model.arrays import check_finite, frozen_array
from exmc_actors.model.distributions import Custom, Distribution
from exmc_actors.model.distributions.distribution import all_parts
from exmc_actors.model.expression import Constant, Expression, Index, Reference
from exmc_actors.model.math import concatenate
from exmc_actors.model.scope import Scope
from exmc_actors.model.shapes import Shape
from exmc_actors.model.sites import Deterministic, Dims, Observation, Site, Variable


def missing_entries(data: Any) -> np.ma.MaskedArray | None:
    """Return data with its missing entries masked, or None where nothing is missing."""
    try:
        array = np.ma.asarray(data)
    except (ModelError, TypeError, ValueError):
        return None  # whatever it is, it is refused where it is read
    mask = np.ma.getmaskarray(array)
    if array.dtype.kind == "f":
        mask = mask | np.isnan(array.data)
    return np.ma.MaskedArray(array.data, mask=mask) if mask.any() else None


def imputed(
    scope: Scope,
    name: str,
    distribution: Distribution,
    data: np.ma.MaskedArray,
    weights: Constant | None,
    dims: Dims,
) -> tuple[Site, ...]:
    """Return the observation of the known entries, the variable of the others, and the whole.

    Raises:
      ModelError: where the missing entries cannot be sampled, or all are missing.
    """
    mask = np.ma.getmaskarray(data)
    _check(distribution, mask)
    check_finite(frozen_array(data.filled(0), name))
    warnings.warn(
        f"{name}: {int(mask.sum())} of {mask.size} entries are missing and are sampled as {name}_unobserved.",
        ModelWarning,
        stacklevel=4,  # the line that declares it
    )
    scope.check_parameters(distribution, mask.shape)
    known, unknown = np.nonzero(~mask), np.nonzero(mask)
    counts = None
    if weights is not None:
        counts = Constant(frozen_array(np.broadcast_to(weights.array, mask.shape)[known], "weights"))
    values = Constant(frozen_array(data.data[known], name))
    seen = Observation(
        f"{name}_observed", _entries(scope, distribution, mask.shape, known), values, weights=counts
    )
    unseen = Variable(
        f"{name}_unobserved",
        _entries(scope, distribution, mask.shape, unknown),
        (len(unknown[0]),),
    )
    order = np.empty(mask.shape, dtype=int)
    order[known], order[unknown] = np.arange(len(known[0])), len(known[0]) + np.arange(len(unknown[0]))
    whole = concatenate([Reference(seen.name), Reference(unseen.name)])[order]
    return seen, unseen, Deterministic(name, whole, dims)


def _check(distribution: Distribution, mask: np.ndarray) -> None:
    if any(part.only_observed for part in all_parts(distribution)):
        raise ModelError(
            f"entries are missing, and {distribution!r} says how values are recorded: censored observations "
            "cannot have missing entries, which say nothing; leave these entries out."
        )
    if distribution.event_ndim:
        raise ModelError(
            f"entries are missing, and {distribution!r} has events of several entries, of which some "
            "cannot be known and others not: leave out the events that are not whole."
        )
    if any(part.is_discrete for part in all_parts(distribution)):
        raise ModelError(
            f"entries are missing, and {distribution!r} has whole numbers for values, which cannot be "
            "sampled: leave these entries out, or give them weights of 0 and any possible value."
        )
    if mask.all():
        raise ModelError("all entries are missing: declare a variable by b.rv(...) instead.")


def _entries(
    scope: Scope, distribution: Distribution, shape: Shape, at: tuple[np.ndarray, ...]
) -> Distribution:
    """Return the distribution of some entries of a value, as one of a vector."""
    if isinstance(distribution, Custom):
        if not any(scope.shape_of(value) for value in distribution.parameters.values()):
            return distribution
        places = np.ravel_multi_index(at, shape)
        return distribution.of_entries(shape, tuple(places.tolist()))

    def picked(name: str, value: Expression) -> Expression:
        own = distribution.parameter_ndims.get(name, 0)
        has = scope.shape_of(value)
        batch = has[: len(has) - own]
        if not batch:
            return value
        parts = [
            Constant(frozen_array(np.zeros_like(index) if length == 1 else index, "an index"))
            for length, index in zip(batch, at[len(shape) - len(batch) :], strict=True)
        ]
        return Index(value, tuple(parts))

    return distribution.rebuilt(
        {name: picked(name, value) for name, value in distribution.parameters.items()},
        [_entries(scope, part, shape, at) for part in distribution.parts],
    )
