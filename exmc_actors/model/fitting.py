"""Check that the values of one declaration fit: positions, observations, transforms; names are not."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from exmc_actors.errors import ModelError
from exmc_actors.model.arrays import entry_text, first_where
from exmc_actors.model.distributions import Distribution
from exmc_actors.model.distributions.distribution import all_parts, known_value
from exmc_actors.model.expression import Constant, Literal, Reference, as_expression
from exmc_actors.model.shapes import Shape, stretches_to
from exmc_actors.model.support_algebra import Union
from exmc_actors.model.supports import AtLeast, AtMost, Interval, Support
from exmc_actors.model.transforms import (
    Affine,
    Identity,
    LowerBounded,
    Ordered,
    ScaledLogit,
    Transform,
    UpperBounded,
)


def check_can_be_sampled(distribution: Distribution) -> None:
    """Refuse a distribution of whole numbers, and one of records."""
    if any(part.only_observed for part in all_parts(distribution)):
        raise ModelError(
            f"{distribution!r} says how values are recorded, so it is for observations: declare the variable "
            "by the distribution inside, or cut it off by Truncated."
        )
    if any(part.is_discrete for part in all_parts(distribution)):
        raise ModelError(
            f"{distribution!r} has whole numbers for values, which NUTS cannot sample: observe it by "
            "b.obs(...), or marginalise it, as Mixture does: "
            "Mixture(weights, [Normal(0.0, 1.0), Normal(5.0, 1.0)]), say."
        )


def check_named_parameters(distribution: Distribution, arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse parameters that are named arrays and impossible; those without a name were looked at before."""
    for part in all_parts(distribution):
        for name, value in part.parameters.items():
            if isinstance(value, Reference) and value.name in arrays:
                part.check_parameter(name, arrays[value.name])


def check_positions(positions: np.ndarray, length: int, part: Any) -> None:
    """Refuse positions outside an axis, saying which is the first."""
    at = first_where((positions < -length) | (positions >= length))
    if at is not None:
        raise ModelError(
            f"{entry_text(at)} of index {part!r} is {positions[at]}, outside an axis of {length} entries: "
            f"positions run from 0 to {length - 1}."
        )


def check_weights(weights: np.ndarray, events: Shape) -> None:
    """Refuse weights that are negative, or do not stretch to the events."""
    at = first_where(~((weights >= 0) & np.isfinite(weights)))
    if at is not None:
        raise ModelError(f"{entry_text(at)} of weights is {weights[at].item()!r}: it must be 0 or more.")
    if not stretches_to(weights.shape, events):
        raise ModelError(
            f"weights of shape {weights.shape} do not fit events of shape {events}: give one for each."
        )


def check_inside(
    distribution: Distribution,
    array: np.ndarray,
    support: Support,
    arrays: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Refuse observations outside a support that is known, saying which is the first.

    ``arrays`` are those that its bounds may name; without them, a support of named bounds is not known.
    """
    text, support = str(support), _with_arrays(support, arrays or {})
    if not support.is_known:
        return
    support = _with_known_bounds(support)
    events = array.shape[: array.ndim - support.event_ndim]
    at = first_where(~np.broadcast_to(support.contains(array), events))
    if at is not None:
        raise ModelError(
            f"{entry_text(at)} is {array[at].tolist()!r}, outside the support of {distribution!r}: "
            f"it must be {text}. Correct the entry, or choose another distribution."
        )


def _with_arrays(support: Support, arrays: Mapping[str, np.ndarray]) -> Support:
    """Return the support with the arrays that its bounds name."""
    if isinstance(support, Union):
        return Union(tuple(_with_arrays(member, arrays) for member in support.members))
    bounds = {field.name: getattr(support, field.name) for field in fields(support)}
    named = {
        name: Constant(arrays[bound.name])
        for name, bound in bounds.items()
        if isinstance(bound, Reference) and bound.name in arrays
    }
    return replace(support, **named)


def _with_known_bounds(support: Support) -> Support:
    if isinstance(support, Union):
        return Union(tuple(map(_with_known_bounds, support.members)))
    bounds = {field.name: known_value(getattr(support, field.name)) for field in fields(support)}
    return replace(support, **bounds)


def check_transform(transform: Transform, distribution: Distribution) -> None:
    """Refuse a transform that does not reach the distribution's support and nothing else."""
    support = distribution.support
    fits = isinstance(support, transform.onto) or isinstance(transform, Identity)
    if isinstance(transform, ScaledLogit) and isinstance(support, Interval):
        fits = _same(transform.low, support.low) and _same(transform.high, support.high)
    if isinstance(transform, LowerBounded) and isinstance(support, AtLeast):
        fits = _same(transform.low, support.low)
    if isinstance(transform, UpperBounded) and isinstance(support, AtMost):
        fits = _same(transform.high, support.high)
    if not fits:
        raise ModelError(
            f"{type(transform).__name__} does not lead onto the support of {distribution!r}, "
            f"whose values are {support}: leave transform= out to have the right one chosen."
        )
    if isinstance(transform, Affine):
        scale = known_value(transform.scale)
        if scale is not None and not (scale > 0).all():
            raise ModelError(f"Affine: scale must be positive, got {transform.scale!r}.")


def check_constraint(transform: Transform, array: np.ndarray) -> None:
    """Refuse observations of what a transform says otherwise, or of what has a density of fewer numbers."""
    if not isinstance(transform, Ordered):
        raise ModelError(
            f"transform={type(transform).__name__}() leaves fewer free numbers than entries, so that there "
            "is no density of what is observed: leave transform= out where the variable is declared."
        )
    transform.unconstrained_shape(array.shape)
    at = first_where(~(array[..., 1:] > array[..., :-1]))
    if at is not None:
        later = (*at[:-1], at[-1] + 1)
        raise ModelError(
            f"{entry_text(later)} is {array[later].item()!r} and not above the entry before it, as "
            "transform=Ordered() says: sort the data, or leave transform= out where the variable is declared."
        )


def _same(one: Any, other: Any) -> bool:
    one, other = as_expression(one), as_expression(other)
    if isinstance(one, Literal) and isinstance(other, Literal):
        return one.value == other.value
    if isinstance(one, Reference) and isinstance(other, Reference):
        return one.name == other.name
    return one is other
