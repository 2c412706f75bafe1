"""NUTS for many chains in lockstep, a lane each on the last axis; ``kernel.nuts`` has the algorithm."""

from exmc_actors.kernel.ensemble.nuts import transition

__all__ = ["transition"]
