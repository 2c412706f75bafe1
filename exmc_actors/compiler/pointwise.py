"""Compute the log likelihood of each observed event at constrained values; pure, and traced by JAX.

The model is the one that was declared: what a pass has summed up is seen row by row here.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from exmc_actors.compiler.evaluation import Evaluation
from exmc_actors.compiler.structure import Observed, Structure
from exmc_actors.compiler.traced import evaluated
from exmc_actors.model import Deterministic


def log_likelihoods(
    structure: Structure, visited: Collection[str], given: Mapping[str, jax.Array], arguments: Sequence[Any]
) -> dict[str, jax.Array]:
    """Return, for each visited observation, one log density an event, times its weight.

    Outside the support it is -inf.

    Args:
      structure: of the model before any pass that changes what is observed.
      visited: the observations, and the deterministics that they depend on.
      given: constrained values of the variables that they depend on.
      arguments: the model's arrays.
    """
    evaluation = Evaluation(arguments)
    evaluation.named.update(given)
    found: dict[str, jax.Array] = {}
    for term in structure.terms:
        if term.name not in visited:
            continue
        if isinstance(term, Deterministic):
            evaluation.named[term.name] = jnp.asarray(evaluation.value(term.expression))
        elif isinstance(term, Observed):
            distribution = evaluated(term.distribution, evaluation)
            shape = term.value.shape
            events = shape[: len(shape) - distribution.event_ndim]
            each = distribution.log_prob(evaluation.value(term.value))
            if term.weights is not None:
                weights = evaluation.value(term.weights)
                each = jnp.where(weights > 0.0, weights * each, 0.0)
            found[term.name] = jnp.broadcast_to(each, events)
    return found
