"""Choose, order and judge the rows of the table of quantities; a page of it at a time."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from exmc_actors.diagnostics.agreement import HIGHEST_R_HAT, LOWEST_ESS_PER_CHAIN
from exmc_actors.diagnostics.by_quantity import FEWEST_DRAWS
from exmc_actors.diagnostics.online import OnlineSummary
from exmc_actors.views.dashboard.numbers import exact, plain
from exmc_actors.views.dashboard.selection import Selection

Verdict = Literal["early", "constant", "undefined", "poor", "fair", "good"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
"""Of several that hold, the first one is said."""

RHAT_GOOD, RHAT_FAIR = HIGHEST_R_HAT, 1.05
ESS_GOOD, ESS_FAIR = 400.0, 100.0
_PLACES = ("mean", "q5", "q50", "q95")
_MEASURES = ("sd", "mcse_mean", "ess", "r_hat")


@dataclass(frozen=True)
class Table:
    """The table of all quantities at one moment."""

    summary: OnlineSummary

    def page(self, chosen: Selection) -> dict[str, Any]:
        """Return a page of it, with counts of what is on all pages."""
        levels = judged(self.summary)
        matching = self._ordered(chosen.order, self._matching(chosen.search))
        last = max(0, (len(matching) - 1) // chosen.size)
        page = min(chosen.page, last)
        rows = matching[page * chosen.size : (page + 1) * chosen.size]
        counts = np.bincount(levels, minlength=len(VERDICTS)).tolist()
        return {
            "names": [self.summary.names[row] for row in rows],
            "verdicts": [VERDICTS[levels[row]] for row in rows],
            **{column: exact(getattr(self.summary, column)[rows]) for column in _PLACES},
            **{column: plain(getattr(self.summary, column)[rows]) for column in _MEASURES},
            "page": page,
            "pages": last + 1,
            "matching": len(matching),
            "total": len(self.summary.names),
            "counts": dict(zip(VERDICTS, counts, strict=True)),
        }

    def _matching(self, search: str) -> np.ndarray:
        wanted = search.casefold()
        names = self.summary.names
        if not wanted:
            return np.arange(len(names))
        return np.array([row for row, name in enumerate(names) if wanted in name.casefold()], dtype=int)

    def _ordered(self, order: str, rows: np.ndarray) -> np.ndarray:
        match order:
            case "name":
                return np.array(sorted(rows, key=lambda row: self.summary.names[row]), dtype=int)
            case "rhat":
                return rows[np.argsort(-self.summary.r_hat[rows], kind="stable")]
            case "ess":
                return rows[np.argsort(self.summary.ess[rows], kind="stable")]
        return rows


def judged(summary: OnlineSummary) -> np.ndarray:
    """Return how far each quantity may be trusted, as a place in ``VERDICTS``; shape (quantity,).

    What is called good is within the limits of the warnings at the end of a run; these look at ranks and
    tails besides.
    """
    rhat, ess = summary.r_hat, summary.ess
    enough = max(ESS_GOOD, LOWEST_ESS_PER_CHAIN * len(summary.kept))
    longest = max((summary.draws[chain] for chain in summary.kept), default=0)
    with np.errstate(invalid="ignore"):
        are_so: dict[Verdict, np.ndarray] = {
            "early": np.full(len(rhat), longest < FEWEST_DRAWS),
            "constant": summary.sd == 0.0,
            "undefined": np.isnan(rhat) | np.isnan(ess),
            "poor": (rhat >= RHAT_FAIR) | (ess < ESS_FAIR),
            "fair": (rhat >= RHAT_GOOD) | (ess < enough),
            "good": np.full(len(rhat), True),
        }
    first: np.ndarray = np.argmax([are_so[one] for one in VERDICTS], axis=0)
    return first
