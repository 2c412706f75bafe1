"""Reach the vectors of positive numbers that add up to one, by breaking a stick of length one."""

from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax.numpy as jnp
import numpy as np

from exmc_actors.compiler.bijectors.bijector import Bijector
from exmc_actors.model import cumsum, softplus

_ROUNDING = 1e-9


@final
@dataclass(frozen=True, eq=False)
class StickBreakingBijector(Bijector):
    """x[k] = (1 - x[0] - ... - x[k - 1]) / (1 + exp(log(K - 1 - k) - z[k])); the last entry is what is left.

    Volumes are measured on all entries but the last.
    """

    event_ndim: ClassVar[int] = 1

    def forward(self, z: Any) -> Any:
        """Return the lengths of the pieces."""
        return jnp.exp(self.log_forward(z))

    def log_forward(self, z: Any) -> Any:
        """Return the logarithms of the lengths, which are finite where the lengths are rounded to zero."""
        odds = z - _log_pieces_after(z.shape[-1])
        left = self._log_left(odds)
        return jnp.concatenate([left[..., :-1] - softplus(-odds), left[..., -1:]], axis=-1)

    def log_det_jacobian(self, z: Any) -> Any:
        """Return the logarithm of the determinant, a triangular one."""
        odds = z - _log_pieces_after(z.shape[-1])
        return jnp.sum(self._log_left(odds)[..., :-1] - softplus(-odds) - softplus(odds), axis=-1)

    def inverse(self, x: Any) -> Any:
        """Return the shifted log odds of each piece against what is left after it."""
        after = cumsum(x[..., ::-1], axis=-1)[..., ::-1]
        odds = jnp.log(x[..., :-1]) - jnp.log(after[..., 1:])
        is_whole = jnp.abs(after[..., :1] - 1.0) <= _ROUNDING
        return jnp.where(is_whole, odds + _log_pieces_after(x.shape[-1] - 1), jnp.nan)

    def _log_left(self, odds: Any) -> Any:
        """Return the logarithm of what is left before each piece and after the last."""
        lost = -softplus(odds)
        nothing = jnp.zeros((*lost.shape[:-1], 1), lost.dtype)
        return jnp.concatenate([nothing, cumsum(lost, axis=-1)], axis=-1)


def _log_pieces_after(count: int) -> np.ndarray:
    logs: np.ndarray = np.log(np.arange(count, 0, -1, dtype=float))
    return logs
