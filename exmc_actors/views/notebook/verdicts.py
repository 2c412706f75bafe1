"""Say in words what estimates are worth, by the limits of the warnings at the end of a run."""

from math import isnan
from typing import Literal

from exmc_actors.diagnostics import OnlineSummary
from exmc_actors.diagnostics.agreement import HIGHEST_R_HAT, LOWEST_ESS_PER_CHAIN

Verdict = Literal["no estimate", "chains disagree", "few effective draws", "good", "constant"]

UNDOUBTED: tuple[Verdict, ...] = ("good", "constant")


def verdict(r_hat: float, ess: float, sd: float, chains: int) -> Verdict:
    """Return what is to be said of a quantity's estimates from so many chains."""
    if sd == 0.0:
        return "constant"
    if isnan(r_hat) or isnan(ess):
        return "no estimate"
    if r_hat > HIGHEST_R_HAT:
        return "chains disagree"
    return "few effective draws" if ess < LOWEST_ESS_PER_CHAIN * chains else "good"


def verdicts(summary: OnlineSummary) -> tuple[Verdict, ...]:
    """Return what is to be said of each quantity."""
    measures = zip(summary.r_hat, summary.ess, summary.sd, strict=True)
    return tuple(verdict(*known, len(summary.kept)) for known in measures)


def foremost(summary: OnlineSummary, most: int) -> dict[str, Verdict]:
    """Return so many quantities and their verdicts, in the order of the model.

    Those in doubt go first, by their R-hat; what room they leave is for the first of the good ones, and then
    for the first of those that do not vary.
    """
    judged = verdicts(summary)

    def rank(place: int) -> tuple[int, float]:
        if judged[place] in UNDOUBTED:
            return 1 + UNDOUBTED.index(judged[place]), place
        r_hat = summary.r_hat[place]
        return 0, float("-inf") if isnan(r_hat) else -r_hat

    chosen = sorted(sorted(range(len(judged)), key=rank)[:most])
    return {summary.names[place]: judged[place] for place in chosen}
