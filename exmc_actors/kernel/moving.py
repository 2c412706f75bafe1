"""Say what a kernel is: how a trajectory moves on by one leaf; NUTS moves by one leapfrog step.

Doubling, U-turns, weights and the choice of the next point are the same for every kernel (nuts.py,
subtree.py, choosing.py).  They are exact for whatever leads from leaf to leaf, as long as moving forward from
one leaf leads to another just when moving backward from that one leads to the first, and moving preserves
volume.  Where a kernel can offer no such leaf it stops the trajectory, and the subtree under way is never
merged: so whether a trajectory is found depends on the trajectory alone, and not on the leaf that it is found
from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import jax.numpy as jnp
from jax import Array

from exmc_actors.kernel.hamiltonian import DensityAndGradient, PhasePoint, Point, energy, leapfrog
from exmc_actors.kernel.metric import Metric


@dataclass(frozen=True)
class Flow:
    """What stays the same wherever a transition steps."""

    density_and_gradient: DensityAndGradient
    origin: Array
    """The position that the transition started from."""
    metric: Metric

    def step(self, here: PhasePoint, step_size: Array) -> tuple[PhasePoint, Point, Array]:
        """Make one leapfrog step; return where it ends, what was computed there, and the energy there."""
        edge, point = leapfrog(self.density_and_gradient, self.origin, here, step_size, self.metric)
        return edge, point, energy(point.log_density, edge.momentum)


class Moved(NamedTuple):
    """The next leaf."""

    edge: PhasePoint
    point: Point
    energy: Array
    """Infinite where the kernel failed to find a leaf: a divergence."""
    is_end: Array
    """Whether the leaf does not belong to the trajectory, which ends before it; that is no divergence."""
    notes: Any


class Kernel(Protocol):
    """How a trajectory moves on; instances are hashable, compared by value, and part of what is compiled."""

    def while_early(self, is_early: Array) -> "Kernel":
        """Return the kernel of one transition.

        Args:
          is_early: whether its chain may be far from where the mass is; its draw is then thrown away.
        """

    def first_notes(self, initial_energy: Array) -> Any:
        """Return what must be remembered of an end of the trajectory besides where it is, as arrays."""

    def move(self, flow: Flow, here: PhasePoint, step_size: Array, notes: Any) -> Moved:
        """Move on from an end by one leaf; a negative step size moves back in time."""

    def statistics(self, leaves: Array, notes: Any) -> Mapping[str, Array]:
        """Return the fields of the transition's report that are other than those of NUTS.

        Args:
          leaves: how many were visited.
          notes: of both ends, along a new first axis.
        """


@dataclass(frozen=True)
class Nuts:
    """Move by one leapfrog step: the No-U-Turn sampler, which is the default."""

    def while_early(self, is_early: Array) -> "Nuts":
        """Move as ever."""
        return self

    def first_notes(self, initial_energy: Array) -> tuple[()]:
        """Remember nothing."""
        return ()

    def move(self, flow: Flow, here: PhasePoint, step_size: Array, notes: tuple[()]) -> Moved:
        """Make one step."""
        return Moved(*flow.step(here, step_size), jnp.zeros((), bool), notes)

    def statistics(self, leaves: Array, notes: tuple[()]) -> dict[str, Array]:
        """Add nothing."""
        return {}
