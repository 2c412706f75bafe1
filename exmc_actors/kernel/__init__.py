"""NUTS for any log density on R^d, as pure functions of arrays: no model, no warmup, no clock."""

from exmc_actors.kernel.hamiltonian import DensityAndGradient, Point
from exmc_actors.kernel.metric import Metric, capacity_for
from exmc_actors.kernel.nuts import Transition, transition
from exmc_actors.kernel.step_size import StepSizeSearch, after_try, begin_search

__all__ = [
    "DensityAndGradient",
    "Metric",
    "Point",
    "StepSizeSearch",
    "Transition",
    "after_try",
    "begin_search",
    "capacity_for",
    "transition",
]
