"""Say in words what estimates are worth, by the limits of the warnings at the end of a run."""

from math import isfinite
from typing import Literal

from exmc_actors.diagnostics import OnlineSummary
from exmc_actors.diagnostics.agreement import HIGHEST_R_HAT, LOWEST_ESS_PER_CHAIN

Verdict = Literal["no estimate", "chains disagree", "few effective draws", "good"]


def verdict(r_hat: float, ess: float, chains: int) -> Verdict:
    """Return what is to be said of a quantity's estimates from so many chains."""
    if not isfinite(r_hat) or not isfinite(ess):
        return "no estimate"
    if r_hat > HIGHEST_R_HAT:
        return "chains disagree"
    return "few effective draws" if ess < LOWEST_ESS_PER_CHAIN * chains else "good"


def verdicts(summary: OnlineSummary) -> tuple[Verdict, ...]:
    """Return what is to be said of each quantity."""
    chains = len(summary.kept)
    return tuple(verdict(r_hat, ess, chains) for r_hat, ess in zip(summary.r_hat, summary.ess, strict=True))


def foremost(summary: OnlineSummary, most: int) -> dict[str, Verdict]:
    """Return so many quantities and their verdicts, in the order of the model.

    Those that are not good go first, by their R-hat; what room they leave is for the first of the others.
    """
    judged = verdicts(summary)

    def rank(place: int) -> tuple[bool, bool, float]:
        is_good, r_hat = judged[place] == "good", summary.r_hat[place]
        return is_good, bool(isfinite(r_hat)), place if is_good or not isfinite(r_hat) else -r_hat

    chosen = sorted(sorted(range(len(judged)), key=rank)[:most])
    return {summary.names[place]: judged[place] for place in chosen}
