"""Distributions cut off at bounds."""

from dataclasses import dataclass
from typing import Any, final

import jax
import jax.numpy as jnp

from exmc_actors.errors import ModelError
from exmc_actors.model.distributions.cut_off import CutOff
from exmc_actors.model.distributions.distribution import known_value
from exmc_actors.model.functions import softplus
from exmc_actors.model.reductions import logaddexp
from exmc_actors.model.support_algebra import ends, within
from exmc_actors.model.supports import Positive, Support, UnitInterval
from exmc_actors.model.tail_draws import draw_within
from exmc_actors.model.tails import log_difference, log_tails


@final
@dataclass(frozen=True, eq=False, repr=False)
class Truncated(CutOff):
    """Values of a distribution, given that they lie from ``lower`` to ``upper``; None for no bound.

    Known bounds must lie where the distribution does; a computed one beside it cuts off nothing, or all.
    """

    def __post_init__(self) -> None:
        """Refuse what cannot be cut off, and bounds beside the distribution."""
        super().__post_init__()
        for name in ("lower", "upper"):
            self._check_inside(name)

    def _check_inside(self, name: str) -> None:
        given, support = getattr(self, name), self._part.support
        bound = None if given is None else known_value(given)
        if bound is None:
            return
        low, high = (None if end is None else known_value(end) for end in ends(support))
        if (low is not None and (bound < low).any()) or (high is not None and (bound > high).any()):
            raise ModelError(
                f"Truncated: {name} must lie where {self._part!r} does, {support}, "
                f"got {given!r}: leave it out."
            )

    @property
    def support(self) -> Support:
        """What of the distribution's support lies within the bounds."""
        return within(self._part.support, self.lower, self.upper)

    def log_kernel(self, x: Any) -> Any:
        """Return that of the distribution, -inf outside of where it lies."""
        if not (self._may_reach_beyond() or isinstance(self._part.support, Positive | UnitInterval)):
            return self._part.log_kernel(x)
        inside, safe = self._part.split(x)
        return jnp.where(inside, self._part.log_kernel(safe), -jnp.inf)

    def log_kernel_on_line(self, z: Any) -> Any | None:
        """Return that of the distribution at the same point, where it has an infinite one at an end."""
        kind = self._part.support
        if self._may_reach_beyond() or not isinstance(kind, Positive | UnitInterval):
            return None
        low, high = ends(self.support)
        log_length: Any = None if high is None else jnp.log(high - low)
        log_x = _log_sum(low, z if log_length is None else log_length - softplus(-z))
        if isinstance(kind, Positive):
            return self._part.log_kernel_on_line(log_x)
        return self._part.log_kernel_on_line(log_x - _log_sum(1.0 - high, log_length - softplus(z)))

    def _may_reach_beyond(self) -> bool:
        """Say whether a bound may lie outside of the support: where both are known, that is refused."""
        pairs = zip((self.lower, self.upper), ends(self._part.support), strict=True)
        return any(
            known_value(bound) is None or known_value(end) is None
            for bound, end in pairs
            if bound is not None and end is not None
        )

    def log_normaliser(self) -> Any:
        """Return that of the distribution, and the logarithm of what is left of it; infinite for nothing."""
        left = self._log_left()
        return self._part.possible_normaliser() + jnp.where(left == -jnp.inf, jnp.inf, left)

    def _log_left(self) -> Any:
        lower = self.lower
        if lower is not None and self._part.is_discrete:
            lower = jnp.ceil(lower) - 1.0
        if lower is None:
            return log_tails(self._part, self.upper)[0]
        below, above = log_tails(self._part, lower)
        if self.upper is None:
            return above
        below_upper, above_upper = log_tails(self._part, self.upper)
        # The difference of the smaller tails is the accurate one.
        in_upper_tail = above < below_upper
        larger = jnp.where(in_upper_tail, above, below_upper)
        return log_difference(larger, jnp.where(in_upper_tail, above_upper, below))

    def mean(self) -> Any:
        """Return NaN: it is not known."""
        return jnp.nan

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values, however little is left; NaN where nothing is or can be."""
        drawn = draw_within(key, self._part, self.lower, self.upper, shape)
        is_possible = jnp.isfinite(self._part.possible_normaliser()) & (self._log_left() > -jnp.inf)
        return jnp.where(is_possible, drawn, jnp.nan)


def _log_sum(start: Any, log_distance: Any) -> Any:
    """Return the logarithm of a known number plus a distance, which may be too small for a number."""
    return logaddexp(jnp.log(jnp.asarray(start, dtype=float)), log_distance)
