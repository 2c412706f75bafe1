"""State what a bijector is: a smooth, increasing map of the whole line, entry by entry."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Bijector:
    """The contract.  A leaf's fields are arrays; it must provide the three functions below.

    ``inverse(forward(z))`` is ``z`` up to rounding wherever ``forward(z)`` is not rounded to a bound.
    What lies outside the image has no inverse: NaN or an infinity comes back, and the caller looks.
    """

    def forward(self, z: Any) -> Any:
        """Return the constrained value."""
        raise NotImplementedError

    def log_det_jacobian(self, z: Any) -> Any:
        """Return the logarithm of the slope of ``forward``, in any shape that stretches to that of ``z``."""
        raise NotImplementedError

    def inverse(self, x: Any) -> Any:
        """Return the unconstrained value."""
        raise NotImplementedError
