"""NUTS for any log density on R^d, as pure functions of arrays: no model, no warmup, no clock."""

from exmc_actors.kernel.hamiltonian import DensityAndGradient, Point
from exmc_actors.kernel.metric import Metric, capacity_for
from exmc_actors.kernel.nuts import Transition, transition
from exmc_actors.kernel.step_size import reasonable_step_size

__all__ = [
    "DensityAndGradient",
    "Metric",
    "Point",
    "Transition",
    "capacity_for",
    "reasonable_step_size",
    "transition",
]
