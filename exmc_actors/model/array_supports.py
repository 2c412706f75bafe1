"""Say where distributions of vectors and matrices put their probability, as ``supports`` does for numbers."""

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from exmc_actors.model.expression import Constant, Literal, as_expression
from exmc_actors.model.supports import Support

_ROUNDING = 1e-9
"""How far a sum that should be exact may be off."""


@final
@dataclass(frozen=True, eq=False)
class Simplex(Support):
    """Vectors of positive numbers that add up to one."""

    event_ndim: ClassVar[int] = 1

    def contains(self, x: Any) -> Any:
        """Return, for each vector, whether it lies inside."""
        return (x > 0).all(-1) & (abs(x.sum(-1) - 1.0) <= _ROUNDING)

    def __str__(self) -> str:
        return "positive numbers that add up to 1"


@final
@dataclass(frozen=True, eq=False)
class Probabilities(Support):
    """Vectors of numbers from zero up that add up to one."""

    event_ndim: ClassVar[int] = 1

    def contains(self, x: Any) -> Any:
        """Return, for each vector, whether it lies inside."""
        return (x >= 0).all(-1) & (abs(x.sum(-1) - 1.0) <= _ROUNDING)

    def __str__(self) -> str:
        return "numbers, 0 or more, that add up to 1"


@final
@dataclass(frozen=True, eq=False)
class Increasing(Support):
    """Vectors whose entries increase."""

    event_ndim: ClassVar[int] = 1

    def contains(self, x: Any) -> Any:
        """Return, for each vector, whether each entry is finite and above the one before."""
        return (x[..., 1:] > x[..., :-1]).all(-1) & (abs(x) < np.inf).all(-1)

    def __str__(self) -> str:
        return "increasing"


@final
@dataclass(frozen=True, eq=False)
class CorrelationFactor(Support):
    """Lower triangular matrices with a positive diagonal and rows of length one."""

    event_ndim: ClassVar[int] = 2

    def contains(self, x: Any) -> Any:
        """Return, for each matrix, whether it is the Cholesky factor of a correlation matrix."""
        upper = np.triu(np.ones(x.shape[-2:]), 1)
        lengths = (x * x).sum(-1)
        diagonal = (x * np.eye(x.shape[-1])).sum(-1)
        is_lower = (x * upper == 0).all((-2, -1))
        return is_lower & (diagonal > 0).all(-1) & (abs(lengths - 1.0) <= _ROUNDING).all(-1)

    def __str__(self) -> str:
        return "lower triangular, its diagonal positive and its rows of length 1"


@final
@dataclass(frozen=True, eq=False)
class TriangularFactor(Support):
    """Lower triangular matrices with a positive diagonal."""

    event_ndim: ClassVar[int] = 2

    def contains(self, x: Any) -> Any:
        """Return, for each matrix, whether it is the Cholesky factor of a covariance matrix."""
        upper = np.triu(np.ones(x.shape[-2:]), 1)
        diagonal = (x * np.eye(x.shape[-1])).sum(-1)
        is_finite = (abs(x) < np.inf).all((-2, -1))
        return is_finite & (x * upper == 0).all((-2, -1)) & (diagonal > 0).all(-1)

    def __str__(self) -> str:
        return "lower triangular with a positive diagonal"


@final
@dataclass(frozen=True, eq=False)
class PositiveDefinite(Support):
    """Symmetric matrices with positive eigenvalues; for NumPy arrays only."""

    event_ndim: ClassVar[int] = 2

    def contains(self, x: Any) -> Any:
        """Return, for each matrix, whether it can be a covariance matrix."""
        if x.shape[-1] != x.shape[-2]:
            return np.zeros(x.shape[:-2], dtype=bool)
        turned = np.swapaxes(x, -1, -2)
        is_finite = np.isfinite(x).all((-2, -1))
        scale = np.abs(np.where(np.isfinite(x), x, 0.0)).max((-2, -1), initial=0.0)
        safe = np.where(is_finite[..., None, None], 0.5 * (x + turned), np.eye(x.shape[-1]))
        is_symmetric = np.abs(np.where(np.isfinite(x), x - turned, 0.0)).max((-2, -1)) <= 1e-10 * scale
        return is_finite & is_symmetric & (np.linalg.eigvalsh(safe)[..., 0] > 0)

    def __str__(self) -> str:
        return "a symmetric matrix whose eigenvalues are positive"


@final
@dataclass(frozen=True, eq=False)
class Counts(Support):
    """Vectors of whole numbers from zero up that add up to ``n``."""

    n: Any
    event_ndim: ClassVar[int] = 1

    def contains(self, x: Any) -> Any:
        """Return, for each vector, whether it lies inside."""
        return ((x >= 0) & (x % 1 == 0)).all(-1) & (x.sum(-1) == self.n)

    @property
    def is_known(self) -> bool:
        """Whether the sum is a number or an array."""
        return isinstance(as_expression(self.n), Literal | Constant)

    def __str__(self) -> str:
        return f"whole numbers, 0 or more, that add up to {self.n!r}"
