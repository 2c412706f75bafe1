"""Compose a structure's functions of one flat vector: log density, constrained values, and the way back.

They are pure and traced by JAX; data comes in as arguments.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from exmc_actors.compiler.bijectors import (
    Bijector,
    LogBijector,
    LogitBijector,
    LowerBoundedBijector,
    ScaledLogitBijector,
    StickBreakingBijector,
    bijector_of,
)
from exmc_actors.compiler.evaluation import Evaluation
from exmc_actors.compiler.positivity import Positivity
from exmc_actors.compiler.structure import Observed, Structure
from exmc_actors.compiler.zero_sums import log_density_of_zero_sums
from exmc_actors.model import (
    Affine,
    Deterministic,
    Distribution,
    Identity,
    Normal,
    Potential,
    Shape,
    Variable,
    map_parameters,
)
from exmc_actors.model.transforms import ZeroSum


def log_density(structure: Structure, flat: jax.Array, arguments: Sequence[Any]) -> jax.Array:
    """Return log p(all variables) + log |d free variables / d flat|."""
    return sum(log_terms(structure, flat, arguments).values(), start=jnp.zeros((), flat.dtype))


def log_terms(structure: Structure, flat: jax.Array, arguments: Sequence[Any]) -> dict[str, jax.Array]:
    """Return what each variable (with its Jacobian), observation and potential adds."""
    evaluation = Evaluation(arguments)
    pieces = pieces_of(structure, flat)
    positivity = Positivity(structure.terms)
    terms: dict[str, jax.Array] = {}
    for term in structure.terms:
        match term:
            case Variable():
                terms[term.name] = _place(term, pieces[term.name], evaluation, positivity)
            case Observed():
                x = evaluation.value(term.value)
                distribution = evaluated(term.distribution, evaluation)
                if term.weights is None:
                    terms[term.name] = total_log_prob(distribution, x, is_inside=term.is_inside)
                else:
                    terms[term.name] = weighted_log_prob(distribution, x, evaluation.value(term.weights))
            case Deterministic():
                evaluation.named[term.name] = jnp.asarray(evaluation.value(term.expression))
            case Potential():
                terms[term.name] = jnp.sum(evaluation.value(term.expression))
    return terms


def values(structure: Structure, flat: jax.Array, arguments: Sequence[Any]) -> jax.Array:
    """Return the constrained values in one vector: free variables, then deterministics."""
    evaluation = Evaluation(arguments)
    pieces = pieces_of(structure, flat)
    for term in structure.terms:
        if isinstance(term, Variable):
            evaluation.named[term.name] = _bijector(term, evaluation).forward(pieces[term.name])
        elif isinstance(term, Deterministic):
            evaluation.named[term.name] = jnp.asarray(evaluation.value(term.expression))
    named = [jnp.ravel(evaluation.named[name]) for name in structure.values_layout.names]
    return jnp.concatenate(named).astype(flat.dtype)


def unconstrained(
    structure: Structure, given: Mapping[str, Any], around: jax.Array, arguments: Sequence[Any]
) -> jax.Array:
    """Return the flat vector whose free variables have the given values; the others stay as in ``around``."""
    evaluation = Evaluation(arguments)
    kept = pieces_of(structure, around)
    pieces = []
    for term in structure.terms:
        if isinstance(term, Variable):
            bijector = _bijector(term, evaluation)
            if term.name in given:
                value, piece = given[term.name], bijector.inverse(jnp.asarray(given[term.name]))
            else:
                value, piece = bijector.forward(kept[term.name]), kept[term.name]
            evaluation.named[term.name] = value
            pieces.append(jnp.ravel(piece))
        elif isinstance(term, Deterministic):
            evaluation.named[term.name] = jnp.asarray(evaluation.value(term.expression))
    return jnp.concatenate(pieces)


def pieces_of(structure: Structure, flat: jax.Array) -> dict[str, jax.Array]:
    """Return the stretch of each free variable, in its shape."""
    places = structure.layout.places
    # One split, whose derivative is one concatenation; slices would each add a padded vector.
    pieces = lax.split(flat, [place.size for place in places])
    return {place.name: piece.reshape(place.shape) for place, piece in zip(places, pieces, strict=True)}


def evaluated(distribution: Distribution, evaluation: Evaluation) -> Distribution:
    """Return the distribution with arrays for parameters."""
    return map_parameters(distribution, evaluation.value)


def total_log_prob(distribution: Distribution, x: jax.Array, *, is_inside: bool) -> jax.Array:
    """Return the sum of the log densities of the entries of ``x``.

    Nothing is masked where every entry is known to lie inside the support.
    """
    inside, safe = (None, x) if is_inside else distribution.split(x)
    log_kernel = distribution.log_kernel(safe)
    if inside is not None:
        log_kernel = jnp.where(inside, log_kernel, -jnp.inf)
    return _normalised(distribution, log_kernel)


def weighted_log_prob(distribution: Distribution, x: jax.Array, weights: jax.Array) -> jax.Array:
    """Return the weighted sum of the log densities of the events of ``x``, without those of weight zero."""
    counts = weights > 0.0
    log_prob = distribution.log_prob(x)
    return jnp.sum(jnp.where(counts, weights * jnp.where(counts, log_prob, 0.0), 0.0))


def _normalised(distribution: Distribution, log_kernel: jax.Array) -> jax.Array:
    return jnp.sum(log_kernel) - _stretched_sum(distribution.possible_normaliser(), log_kernel.shape)


def _stretched_sum(value: Any, shape: Shape) -> jax.Array:
    """Return the sum of ``value`` stretched to ``shape``, computing only the entries that it has."""
    array = jnp.asarray(value)
    return jnp.sum(array) * (prod(shape) / max(array.size, 1))


def _bijector(term: Variable, evaluation: Evaluation) -> Bijector:
    assert term.transform is not None
    return bijector_of(term.transform, evaluation.value)


def _place(term: Variable, z: jax.Array, evaluation: Evaluation, positivity: Positivity) -> jax.Array:
    """Name the variable's value, and return its log density with the Jacobian."""
    bijector = _bijector(term, evaluation)
    evaluation.named[term.name] = bijector.forward(z)
    distribution = evaluated(term.distribution, evaluation)
    if not distribution.is_location_scale or positivity.holds(term.distribution.parameters["sigma"]):
        return _log_density_at(term, distribution, bijector, z, evaluation.named[term.name])
    # Non-centred, the density does not look at the scale, and centred it is NaN where the scale is negative.
    sigma = distribution.parameters["sigma"]
    possible = distribution.with_parameters(sigma=jnp.where(sigma > 0.0, sigma, 1.0))
    value = _log_density_at(term, possible, bijector, z, evaluation.named[term.name])
    return jnp.where(jnp.all(sigma > 0.0), value, -jnp.inf)


def _log_density_at(
    term: Variable, distribution: Distribution, bijector: Bijector, z: jax.Array, x: jax.Array
) -> jax.Array:
    if _is_standardised(term):
        # The scale in the density and that in the Jacobian cancel: z has the standard distribution.
        return total_log_prob(distribution.with_parameters(mu=0.0, sigma=1.0), z, is_inside=True)
    jacobian = _stretched_sum(bijector.log_det_jacobian(z), z.shape[: z.ndim - bijector.event_ndim])
    line = _on_line(bijector, z)
    log_kernel = None if line is None else distribution.log_kernel_on_line(line)
    if log_kernel is not None:
        return _normalised(distribution, log_kernel) + jacobian
    is_inside = not isinstance(term.transform, Identity) or distribution.support.whole_line
    value = total_log_prob(distribution, x, is_inside=is_inside) + jacobian
    if isinstance(term.transform, ZeroSum) and isinstance(distribution, Normal):
        # A density of n numbers, of which n - 1 are free, would draw a scale towards zero.
        return value - log_density_of_zero_sums(distribution, x.shape)
    return value


def _on_line(bijector: Bijector, z: jax.Array) -> jax.Array | None:
    """Return what ``log_kernel_on_line`` takes where the bijector knows it, None elsewhere."""
    if isinstance(bijector, LogBijector | LogitBijector | LowerBoundedBijector | ScaledLogitBijector):
        return z
    if isinstance(bijector, StickBreakingBijector):
        return jnp.asarray(bijector.log_forward(z))
    return None


def _is_standardised(term: Variable) -> bool:
    parameters = term.distribution.parameters
    return (
        isinstance(term.transform, Affine)
        and term.distribution.is_location_scale
        and term.transform.loc is parameters["mu"]
        and term.transform.scale is parameters["sigma"]
    )
