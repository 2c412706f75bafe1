"""Learn a step size and a metric during warmup, as pure updates of explicit states."""

from exmc_actors.warmup.adaptation import adapt, first_metric, step_size_of
from exmc_actors.warmup.estimation import Pairs, rank_capacity
from exmc_actors.warmup.lesson import Learner, Learnt, follow, teach
from exmc_actors.warmup.schedule import Schedule

__all__ = [
    "Learner",
    "Learnt",
    "Pairs",
    "Schedule",
    "adapt",
    "first_metric",
    "follow",
    "rank_capacity",
    "step_size_of",
    "teach",
]
