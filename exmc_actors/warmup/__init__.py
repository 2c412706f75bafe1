"""Learn a step size and a diagonal metric during warmup, as pure updates of an explicit state."""

from exmc_actors.warmup.adaptation import Adaptation, adapt, begin

__all__ = ["Adaptation", "adapt", "begin"]
