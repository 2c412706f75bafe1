"""Draw what a model says from its own distributions, as it was declared; pure, and traced by JAX.

What is given is taken as it is, and the rest follows in the order of declaration: an observation that a later
declaration refers to stands there by its simulated value.  Potentials have no part in it.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from exmc_actors.compiler.constrained_draws import constrained_draw
from exmc_actors.compiler.evaluation import Evaluation
from exmc_actors.compiler.structure import Observed, Structure, Term
from exmc_actors.compiler.traced import evaluated
from exmc_actors.errors import ModelError
from exmc_actors.model import Deterministic, Expression, Potential, Truncated, Variable, all_parts, postorder

NOTHING = int(np.iinfo(np.int64).min)
"""Stands for a whole number that could not be drawn, as NaN does for any other."""


def simulated(
    structure: Structure,
    visited: Collection[str],
    key: jax.Array,
    given: Mapping[str, jax.Array],
    arguments: Sequence[Any],
) -> dict[str, jax.Array]:
    """Return the values of the visited names, given ones included.

    Args:
      structure: of the model before any pass that changes what is sampled.
      visited: names of variables, observations and deterministics, with all that they depend on.
      key: of this draw; each name has random numbers of its own, whatever else is visited.
      given: constrained values of variables.
      arguments: the model's arrays.
    """
    evaluation = Evaluation(arguments)
    evaluation.named.update(given)
    keys = jax.random.split(key, len(structure.terms))
    for number, term in enumerate(structure.terms):
        if term.name not in visited or term.name in given or isinstance(term, Potential):
            continue
        if isinstance(term, Deterministic):
            evaluation.named[term.name] = jnp.asarray(evaluation.value(term.expression))
            continue
        value = evaluation.named[term.name] = _drawn(term, keys[number], evaluation)
        if isinstance(term, Observed):
            evaluation.put(term.value, value.astype(float))
            for at in term.positions:
                # Those outside the axis are told by ``axes_of``: here they only must not lead out of it.
                evaluation.put(at.slot, (value % max(at.length, 1)).astype(jnp.int32))
    return {name: evaluation.named[name] for name in visited}


def axes_of(structure: Structure, visited: Collection[str]) -> dict[str, int]:
    """Return the observations whose simulated values the visited names take for indices.

    Args:
      structure: as for ``simulated``.
      visited: names that are computed; what is given takes no index.

    Returns:
      By name, the number of entries of the shortest axis.
    """
    roots = [root for term in structure.terms if term.name in visited for root in _expressions(term)]
    used = {id(node) for node in postorder(roots)}
    return {
        term.name: min(lengths)
        for term in structure.terms
        if isinstance(term, Observed)
        and (lengths := [at.length for at in term.positions if id(at.slot) in used])
    }


def cut_off(structure: Structure, visited: Collection[str]) -> tuple[str, ...]:
    """Return the visited names whose values are cut off at bounds, which may leave nothing to be drawn."""
    return tuple(
        term.name
        for term in structure.terms
        if term.name in visited
        and isinstance(term, Variable | Observed)
        and any(isinstance(part, Truncated) for part in all_parts(term.distribution))
    )


def _expressions(term: Term) -> Sequence[Expression]:
    if isinstance(term, Deterministic | Potential):
        return (term.expression,)
    return [value for part in all_parts(term.distribution) for value in part.parameters.values()]


def _drawn(term: Variable | Observed, key: jax.Array, evaluation: Evaluation) -> jax.Array:
    distribution = evaluated(term.distribution, evaluation)
    shape = term.shape if isinstance(term, Variable) else term.value.shape
    try:
        value = constrained_draw(term.transform, distribution, key, shape)
    except ModelError as error:
        raise ModelError(f"{term.name}: {error}") from None
    if not any(part.is_discrete for part in all_parts(distribution)):
        return value.astype(float)
    if jnp.issubdtype(value.dtype, jnp.floating):
        value = jnp.where(jnp.isnan(value), NOTHING, value)
    return value.astype(jnp.int64)
