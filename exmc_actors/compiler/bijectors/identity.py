"""Leave a value as it is."""

from dataclasses import dataclass
from typing import Any, final

from exmc_actors.compiler.bijectors.bijector import Bijector


@final
@dataclass(frozen=True, eq=False)
class IdentityBijector(Bijector):
    """x = z."""

    def forward(self, z: Any) -> Any:
        """Return ``z``."""
        return z

    def log_det_jacobian(self, z: Any) -> Any:
        """Return zero."""
        return 0.0

    def inverse(self, x: Any) -> Any:
        """Return ``x``."""
        return x
