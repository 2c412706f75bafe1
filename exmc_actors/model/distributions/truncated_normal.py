"""The truncated normal distribution."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.bounds import check_order
from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.expression import Literal
from exmc_actors.model.normal_probability import (
    draw_between,
    log_probability_above_peak,
    log_probability_beyond_peak,
    nearest_to_zero,
    pulls,
)
from exmc_actors.model.quotient import over
from exmc_actors.model.supports import AtLeast, AtMost, Interval, Positive, Real, Support
from exmc_actors.model.text import value_text


@final
@dataclass(frozen=True, eq=False, repr=False)
class TruncatedNormal(Distribution):
    """A normal variable of ``mu`` and ``sigma``, given that it lies between the bounds; None for no bound.

    All is measured from ``origin``, the point between the bounds that is nearest to ``mu``: far from
    ``mu``, the square of the distance to it would drown everything else.
    """

    mu: Any
    sigma: Any
    lower: Any = None
    upper: Any = None
    parameter_supports: ClassVar[Mapping[str, Support]] = {"sigma": Positive()}

    def __post_init__(self) -> None:
        """Take an infinite bound for none; refuse bounds that are known and the wrong way round."""
        for name, infinity in (("lower", -math.inf), ("upper", math.inf)):
            if _number(getattr(self, name)) == infinity:
                object.__setattr__(self, name, None)
        super().__post_init__()
        check_order(self, "lower", "upper")

    @property
    def support(self) -> Support:
        """Between the bounds."""
        if self.lower is not None and self.upper is not None:
            return Interval(self.lower, self.upper)
        if self.lower is not None:
            return AtLeast(self.lower)
        return Real() if self.upper is None else AtMost(self.upper)

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        c, origin = self._peak()
        step = over(x - origin, self.sigma)
        return -0.5 * step * (step + 2.0 * c)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return jnp.log(self.sigma) + 0.5 * math.log(2.0 * math.pi) + self._log_probability()

    def _log_probability(self) -> Any:
        a, b, width = self._bounds()
        if self.upper is None:
            return 0.0 if self.lower is None else log_probability_above_peak(a)
        return (
            log_probability_above_peak(-b) if self.lower is None else log_probability_beyond_peak(a, b, width)
        )

    def mean(self) -> Any:
        """Return the mean."""
        at_lower, at_upper = pulls(*self._bounds())
        return self._peak()[1] + self.sigma * (at_lower - at_upper)

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values."""
        a, b, width = self._bounds()
        steps = draw_between(key, a, b, width, shape)
        x = self._peak()[1] + self.sigma * steps
        return jnp.clip(x, self.lower, self.upper)

    def __repr__(self) -> str:
        bounds = {"lower": self.lower, "upper": self.upper}
        named = [f"{name}={value_text(bound)}" for name, bound in bounds.items() if bound is not None]
        return f"TruncatedNormal({', '.join([value_text(self.mu), value_text(self.sigma), *named])})"

    def _bounds(self) -> tuple[Any, Any, Any]:
        """Return both bounds and their distance, standardised."""
        # An infinity computed from sigma would have a slope of NaN.
        a = -jnp.inf if self.lower is None else (self.lower - self.mu) / self.sigma
        b = jnp.inf if self.upper is None else (self.upper - self.mu) / self.sigma
        is_open = self.lower is None or self.upper is None
        return a, b, jnp.inf if is_open else (self.upper - self.lower) / self.sigma

    def _peak(self) -> tuple[Any, Any]:
        """Return the origin in standard units, where it is ``mu`` zero, and as it is."""
        a, b, _ = self._bounds()
        c, is_above, is_below = nearest_to_zero(a, b)
        origin = self.mu if self.lower is None else jnp.where(is_above, self.lower, self.mu)
        return c, origin if self.upper is None else jnp.where(is_below, self.upper, origin)


def _number(value: Any) -> Any:
    value = value.value if isinstance(value, Literal) else value
    return value if isinstance(value, float) else None
