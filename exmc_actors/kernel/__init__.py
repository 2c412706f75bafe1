"""NUTS and WALNUTS for any log density on R^d, as pure functions of arrays: no model, no warmup, no clock."""

from exmc_actors.kernel.hamiltonian import DensityAndGradient, Point
from exmc_actors.kernel.metric import Metric, capacity_for
from exmc_actors.kernel.moving import Kernel, Nuts
from exmc_actors.kernel.nuts import Transition, transition
from exmc_actors.kernel.room import Room, room_for
from exmc_actors.kernel.step_size import StepSizeSearch, after_try, begin_search
from exmc_actors.kernel.walnuts import Walnuts

__all__ = [
    "DensityAndGradient",
    "Kernel",
    "Metric",
    "Nuts",
    "Point",
    "Room",
    "StepSizeSearch",
    "Transition",
    "Walnuts",
    "after_try",
    "begin_search",
    "capacity_for",
    "room_for",
    "transition",
]
