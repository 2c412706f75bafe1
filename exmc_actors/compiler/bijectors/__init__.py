"""Carry out the transforms that a model names: one bijector a file, found by the transform's kind."""

from collections.abc import Callable
from typing import Any

from exmc_actors.compiler.bijectors.affine import AffineBijector
from exmc_actors.compiler.bijectors.bijector import Bijector
from exmc_actors.compiler.bijectors.correlation_cholesky import CorrelationCholeskyBijector
from exmc_actors.compiler.bijectors.half_line import LowerBoundedBijector, UpperBoundedBijector
from exmc_actors.compiler.bijectors.identity import IdentityBijector
from exmc_actors.compiler.bijectors.log import LogBijector
from exmc_actors.compiler.bijectors.logit import LogitBijector
from exmc_actors.compiler.bijectors.ordered import OrderedBijector
from exmc_actors.compiler.bijectors.scaled_logit import ScaledLogitBijector
from exmc_actors.compiler.bijectors.softplus import SoftplusBijector
from exmc_actors.compiler.bijectors.stick_breaking import StickBreakingBijector
from exmc_actors.compiler.bijectors.unit_vector import UnitVectorBijector
from exmc_actors.compiler.bijectors.zero_sum import ZeroSumBijector
from exmc_actors.model import Expression, Transform
from exmc_actors.model import transforms as t

_BIJECTORS: dict[type[Transform], Callable[..., Bijector]] = {
    t.Affine: AffineBijector,
    t.CorrelationCholesky: CorrelationCholeskyBijector,
    t.Identity: IdentityBijector,
    t.Log: LogBijector,
    t.Logit: LogitBijector,
    t.LowerBounded: LowerBoundedBijector,
    t.Ordered: OrderedBijector,
    t.ScaledLogit: ScaledLogitBijector,
    t.Softplus: SoftplusBijector,
    t.StickBreaking: StickBreakingBijector,
    t.UnitVector: UnitVectorBijector,
    t.UpperBounded: UpperBoundedBijector,
    t.ZeroSum: ZeroSumBijector,
}


def bijector_of(transform: Transform, evaluate: Callable[[Expression], Any]) -> Bijector:
    """Return the bijector that a transform names, with its parameters evaluated."""
    values = {name: evaluate(value) for name, value in transform.parameters.items()}
    return _BIJECTORS[type(transform)](**values)


__all__ = [
    "AffineBijector",
    "Bijector",
    "CorrelationCholeskyBijector",
    "IdentityBijector",
    "LogBijector",
    "LogitBijector",
    "LowerBoundedBijector",
    "OrderedBijector",
    "ScaledLogitBijector",
    "SoftplusBijector",
    "StickBreakingBijector",
    "UnitVectorBijector",
    "UpperBoundedBijector",
    "ZeroSumBijector",
    "bijector_of",
]
