"""Judge draws that are there: containers, estimates, warnings; nothing in here samples or waits."""

from exmc_actors.diagnostics.checks import problems
from exmc_actors.diagnostics.comparison import compare
from exmc_actors.diagnostics.datatree import build, load_libraries
from exmc_actors.diagnostics.elpd import Elpd
from exmc_actors.diagnostics.online import Online, OnlineSummary
from exmc_actors.diagnostics.predictive_accuracy import loo, waic
from exmc_actors.diagnostics.stopping import Converged, MaxDivergences, MaxGradients, MaxTime, Rule
from exmc_actors.diagnostics.summary import summary

__all__ = [
    "Converged",
    "Elpd",
    "MaxDivergences",
    "MaxGradients",
    "MaxTime",
    "Online",
    "OnlineSummary",
    "Rule",
    "build",
    "compare",
    "load_libraries",
    "loo",
    "problems",
    "summary",
    "waic",
]
