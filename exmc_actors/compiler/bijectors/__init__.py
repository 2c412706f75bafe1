"""Carry out the transforms that a model names: one bijector a file, found by the transform's kind."""

from collections.abc import Callable
from typing import Any

from exmc_actors.compiler.bijectors.affine import AffineBijector
from exmc_actors.compiler.bijectors.bijector import Bijector
from exmc_actors.compiler.bijectors.identity import IdentityBijector
from exmc_actors.compiler.bijectors.log import LogBijector
from exmc_actors.compiler.bijectors.logit import LogitBijector
from exmc_actors.compiler.bijectors.scaled_logit import ScaledLogitBijector
from exmc_actors.model import Affine, Expression, Identity, Log, Logit, ScaledLogit, Transform

_BIJECTORS: dict[type[Transform], Callable[..., Bijector]] = {
    Affine: AffineBijector,
    Identity: IdentityBijector,
    Log: LogBijector,
    Logit: LogitBijector,
    ScaledLogit: ScaledLogitBijector,
}


def bijector_of(transform: Transform, evaluate: Callable[[Expression], Any]) -> Bijector:
    """Return the bijector that a transform names, with its parameters evaluated."""
    values = {name: evaluate(value) for name, value in transform.parameters.items()}
    return _BIJECTORS[type(transform)](**values)


__all__ = [
    "AffineBijector",
    "Bijector",
    "IdentityBijector",
    "LogBijector",
    "LogitBijector",
    "ScaledLogitBijector",
    "bijector_of",
]
