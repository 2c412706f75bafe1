"""Say when a run has enough: rules as data, judged on the first draws of all chains; nobody is stopped here.

What is judged at fixed numbers of draws does not depend on when it is judged, so that the same seed ends a
run at the same draw.  Of a time limit only the length depends on the clock, never a value.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from exmc_actors.arguments import is_number
from exmc_actors.diagnostics.convergence import convergence
from exmc_actors.errors import SettingsError

_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
_DURATION = re.compile(r"\s*(\d+(?:\.\d*)?)\s*(s|min|h)\s*")
_FIRST = 100
_GROWTH = 1.3


class Rule:
    """When to stop; ``a | b`` stops as soon as one of the two says so."""

    def __or__(self, other: "Rule") -> "Rule":
        """Return a rule that stops by either."""
        if not isinstance(other, Rule):
            return NotImplemented
        return Either((*_parts(self), *_parts(other)))

    @property
    def seconds(self) -> float | None:
        """After which the run is stopped wherever it is; None for ever."""
        return None

    def reason(
        self, draws: Mapping[str, np.ndarray], stats: Mapping[str, np.ndarray], warmup_steps: int = 0
    ) -> str | None:
        """Say why to stop after these draws; None to go on.

        Args:
          draws: of all chains, each of shape (chain, draw, *shape of the variable).
          stats: sample statistics, each of shape (chain, draw).
          warmup_steps: leapfrog steps that these chains made before their first kept draw.
        """
        return None


@dataclass(frozen=True)
class Converged(Rule):
    """Stop when every quantity has an R-hat and effective sample sizes that are good enough.

    Attributes:
      rhat: the largest R-hat, rank-normalised, split and folded.
      ess: the smallest effective sample size, of the bulk and of both tails, all chains together.

    References:
      Vehtari et al. (2021), *Rank-normalization, folding, and localization: an improved R-hat*.
    """

    rhat: float = 1.01
    ess: float = 400.0

    def __post_init__(self) -> None:
        """Check both numbers."""
        _check("rhat", self.rhat, 1.0, 1.01)
        _check("ess", self.ess, 0.0, 400)

    def reason(
        self, draws: Mapping[str, np.ndarray], stats: Mapping[str, np.ndarray], warmup_steps: int = 0
    ) -> str | None:
        """Say what was reached, or None."""
        for array in draws.values():
            found = convergence(np.moveaxis(array.reshape(*array.shape[:2], -1), 2, 0))
            least = np.minimum(found.ess_bulk, found.ess_tail)
            # NaN, of a quantity that does not vary in any chain, says nothing against it.
            if np.any(found.r_hat > self.rhat) or np.any(least < self.ess) or not np.isfinite(array).all():
                return None
        return f"converged: R-hat at most {self.rhat}, effective draws at least {self.ess:g}"


@dataclass(frozen=True)
class MaxDivergences(Rule):
    """Stop when more than so many draws of all chains have diverged: the model needs work.

    Attributes:
      most: the largest number that is borne.
    """

    most: int

    def __post_init__(self) -> None:
        """Check the number."""
        _check("most", self.most, -1.0, 50)

    def reason(
        self, draws: Mapping[str, np.ndarray], stats: Mapping[str, np.ndarray], warmup_steps: int = 0
    ) -> str | None:
        """Say how many there are where that is too many."""
        number = int(np.count_nonzero(stats["diverging"]))
        return f"{number} draws diverged, more than {self.most}" if number > self.most else None


@dataclass(frozen=True)
class MaxGradients(Rule):
    """Stop when all chains together have spent so many gradients: a budget that no clock decides.

    Each leapfrog step takes one, those of the warmup too.  It is looked at where rules are judged, so that a
    run spends up to half as much again, and early in a run without warmup twice as much; one whose warmup
    alone takes it all ends after its first 100 draws a chain.  What chains have computed beyond the draws
    that are kept does not count.

    Attributes:
      most: what may be spent.
    """

    most: int

    def __post_init__(self) -> None:
        """Check the number."""
        _check("most", self.most, 0.0, 1_000_000)

    def reason(
        self, draws: Mapping[str, np.ndarray], stats: Mapping[str, np.ndarray], warmup_steps: int = 0
    ) -> str | None:
        """Say how many were spent where that is all that might be."""
        number = warmup_steps + int(stats["n_steps"].sum())
        return f"{number} gradients were spent, of {self.most}" if number >= self.most else None


@dataclass(frozen=True)
class MaxTime(Rule):
    """Stop after some time, wherever the chains are; what they have by then is kept.

    Attributes:
      limit: seconds, or a text such as ``"90 s"``, ``"10 min"``, ``"1.5 h"``.
    """

    limit: float | str

    def __post_init__(self) -> None:
        """Check the limit."""
        if not self.seconds > 0.0:
            raise SettingsError(
                f"a time limit must be positive, got {self.limit!r}: write, say, MaxTime('10 min')."
            )

    @property
    def seconds(self) -> float:
        """The limit in seconds."""
        limit: Any = self.limit
        if is_number(limit):
            return float(limit)
        found = _DURATION.fullmatch(limit) if isinstance(limit, str) else None
        if found is None:
            raise SettingsError(
                f"a time limit is a number of seconds, or a text such as '10 min', got {self.limit!r}: "
                "write, say, MaxTime('10 min'), with s, min or h."
            )
        return float(found[1]) * _SECONDS[found[2]]


@dataclass(frozen=True)
class Either(Rule):
    """Stop by the first rule that says so."""

    rules: tuple[Rule, ...]

    @property
    def seconds(self) -> float | None:
        """The shortest limit of any."""
        return min((one.seconds for one in self.rules if one.seconds is not None), default=None)

    def reason(
        self, draws: Mapping[str, np.ndarray], stats: Mapping[str, np.ndarray], warmup_steps: int = 0
    ) -> str | None:
        """Say why to stop, by the first that says so in the order that they were given."""
        return next((found for one in self.rules if (found := one.reason(draws, stats, warmup_steps))), None)


def judged_at(draws: int) -> Iterator[int]:
    """Yield after how many draws a chain a run is judged: multiples of 100, ever farther apart.

    Args:
      draws: the most that it makes; there it ends anyway.
    """
    number = _FIRST
    while number < draws:
        yield number
        number = max(number + _FIRST, -(-int(number * _GROWTH) // _FIRST) * _FIRST)


def _parts(rule: Rule) -> tuple[Rule, ...]:
    return rule.rules if isinstance(rule, Either) else (rule,)


def _check(name: str, value: Any, above: float, example: float) -> None:
    if not is_number(value) or not float(value) > above:
        raise SettingsError(
            f"{name} must be a number over {above:g}, got {value!r}: write, say, {name}={example}."
        )
