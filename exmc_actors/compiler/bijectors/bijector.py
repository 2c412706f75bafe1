"""State what a bijector is: a smooth one-to-one map of the whole line or, by its last axes, of arrays."""

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, eq=False)
class Bijector:
    """The contract.  A leaf's fields are arrays; it must provide the three functions below.

    ``inverse(forward(z))`` is ``z`` up to rounding wherever ``forward(z)`` is not rounded to a bound.
    What lies outside the image has no inverse: NaN or an infinity comes back, and the caller looks.
    """

    event_ndim: ClassVar[int] = 0
    """How many of the last axes of an unconstrained value are mapped together."""

    def forward(self, z: Any) -> Any:
        """Return the constrained value."""
        raise NotImplementedError

    def log_det_jacobian(self, z: Any) -> Any:
        """Return the logarithm of the slope, or of the determinant, of ``forward``.

        One number for each element, in any shape that stretches to that of ``z`` without the last axes
        that are mapped together.
        """
        raise NotImplementedError

    def inverse(self, x: Any) -> Any:
        """Return the unconstrained value."""
        raise NotImplementedError
