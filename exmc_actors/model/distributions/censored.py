"""Observations that are known only up to a bound."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.model.distributions.cut_off import CutOff
from exmc_actors.model.supports import AnyNumber, Interval, Support
from exmc_actors.model.tails import log_tails


@final
@dataclass(frozen=True, eq=False, repr=False)
class Censored(CutOff):
    """Values of a distribution of which those beyond a bound are recorded as the bound itself.

    A value equal to ``lower`` says "this or less" (left-censored), one equal to ``upper`` "this or more"
    (right-censored); with both bounds the record is an interval.  Bounds may differ from entry to entry, and
    an infinite one is none.
    """

    only_observed: ClassVar[bool] = True
    parameter_supports: ClassVar[Mapping[str, Support]] = {"lower": AnyNumber(), "upper": AnyNumber()}

    @property
    def support(self) -> Support:
        """From bound to bound."""
        low = -math.inf if self.lower is None else self.lower
        return Interval(low, math.inf if self.upper is None else self.upper)

    def log_kernel(self, x: Any) -> Any:
        """Return the log density inside, and the log probability of all beyond at a bound."""
        value = self._part.log_prob(x)
        if self.lower is not None:
            value = self._at_bound(x, self.lower, value, is_upper=False)
        if self.upper is not None:
            value = self._at_bound(x, self.upper, value, is_upper=True)
        return value

    def _at_bound(self, x: Any, bound: Any, value: Any, *, is_upper: bool) -> Any:
        """Replace the log densities of what lies on a bound; the tails are only asked for there."""
        is_on = x == bound
        on = jnp.where(is_on, bound, self._part.support.inner_point())
        if is_upper:
            tail = log_tails(self._part, jnp.ceil(on) - 1.0 if self._part.is_discrete else on)[1]
        else:
            tail = log_tails(self._part, on)[0]
        return jnp.where(is_on, tail, value)

    def log_normaliser(self) -> Any:
        """Return zero: everything is in the kernel."""
        return 0.0

    def mean(self) -> Any:
        """Return NaN: it is not known."""
        return jnp.nan

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent values and record those beyond a bound as the bound."""
        return jnp.clip(self._part.sample(key, shape).astype(float), self.lower, self.upper)
