"""Move a trajectory by macro steps of micro steps as short as the energy asks for; nuts.py does all else.

A macro step covers a time h by 2^l leapfrog steps of h / 2^l each, its micro steps.  The level l is the
smallest at which the energy, from the step's beginning to its end, stays within a range of ``max_error``.
Level 0 is the step of NUTS: where that is good enough everywhere, the two kernels are the same.

Why it leaves the target as it is.  Moving forward, x takes the level l(x) and leads to F(x); moving
backward, a point y takes a level of its own and leads to B(y).  If B takes at F(x) the level that F took at
x, it takes the same steps back, and B(F(x)) = x: these two are neighbours, and no others are.  So the
kernel, having arrived, looks backward for a level below l that fits.  If there is one, B would take
that, x and F(x) are no neighbours, and the trajectory has its end at x.  (Level l itself fits backward: its
points are the same.)  Whether two points are neighbours is one condition, that l fits the steps between
them and nothing below l fits from either, so it does not matter from which of them it is asked; F(x) may
have another neighbour before it, to which B leads.

Hence a point has at most one neighbour on either side, and the map from neighbour to neighbour is one to
one and, since each level is a leapfrog of fixed length, keeps volumes.  Phase space falls into sequences
of leaves as it does for NUTS, but some of them end.  The directions in which a trajectory grows have the
same probability from each of its leaves; a turn, a divergence or an end in one of its subtrees stops all
of them, and the subtree that would come next is the same for all.  So a trajectory is as probable from
each of its leaves, if a subtree that meets an end is dropped as a whole, like one that turns (of the
first three leaves, both that were added), and choosing among its leaves by weight is exact.  An end makes
a transition short, not wrong, and is not reported; a macro step that fits at no level is a divergence.

References:
  Bou-Rabee, Carpenter, Kleppe and Liu (2026), *The Within-Orbit Adaptive Leapfrog No-U-Turn Sampler*,
  arXiv 2506.18746; here the level is always the smallest.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from exmc_actors.arguments import integer, is_number
from exmc_actors.errors import SettingsError
from exmc_actors.kernel.hamiltonian import PhasePoint, Point
from exmc_actors.kernel.moving import Flow, Moved

MOST_HALVINGS = 16
"""65,536 micro steps: a chain cannot be stopped within a transition."""
_LARGEST_LOG_WEIGHT = 600.0  # its exponential is finite


class _Notes(NamedTuple):
    """What is remembered of one end of the trajectory."""

    energy: Array
    gradients: Array
    """Computed on this side so far."""
    acceptance: Array
    """Sum over this side's leaves of min(1, w), w = exp(-energy error of the single step at level 0)."""
    symmetric_acceptance: Array
    """Sum over this side's leaves of 2 min(1, w) / (1 + w)."""


class _Path(NamedTuple):
    """Micro steps of one length, up to the first that leaves the range."""

    steps: Array
    edge: PhasePoint
    point: Point
    energy: Array
    lowest: Array
    highest: Array


class _Search(NamedTuple):
    """First the smallest level that fits forward, level by level; then one below it that fits backward."""

    level: Array
    """The next to try."""
    is_found: Array
    """Whether a level fits forward."""
    is_end: Array
    """Whether one below it fits backward."""
    edge: PhasePoint
    point: Point
    energy: Array
    gradients: Array


@dataclass(frozen=True)
class MacroSteps:
    """Move by macro steps; the range that the energy may have along one may be traced."""

    max_error: float | Array
    max_halvings: int

    def while_early(self, is_early: Array) -> "MacroSteps":
        """Move as NUTS does, at level 0 whatever the energy, while the chain falls to where the mass is.

        Where the energy must stay within a range along each step, it falls by little in a transition, and a
        fall that is long takes more of them than a warmup has.
        """
        return MacroSteps(jnp.where(is_early, jnp.inf, self.max_error), self.max_halvings)

    def first_notes(self, initial_energy: Array) -> _Notes:
        """Remember the energy, and begin to count."""
        zero = jnp.zeros(())
        return _Notes(initial_energy, jnp.zeros((), jnp.int64), zero, zero)

    def move(self, flow: Flow, here: PhasePoint, step_size: Array, notes: _Notes) -> Moved:
        """Make one macro step, and see whether it would be made backwards."""
        edge, point, energy = flow.step(here, step_size)
        fits = jnp.abs(energy - notes.energy) <= self.max_error  # a NaN does not
        level = jnp.where(fits, -1, 1)
        whole = _Search(level, fits, jnp.zeros((), bool), edge, point, energy, jnp.ones((), jnp.int64))

        def try_level(search: _Search) -> _Search:
            return self._try_level(flow, here, notes.energy, step_size, search)

        def goes_on(search: _Search) -> Array:
            is_over = jnp.where(search.is_found, search.level < 0, search.level > self.max_halvings)
            return ~is_over & ~search.is_end

        last = lax.while_loop(goes_on, try_level, whole)
        reached = jnp.where(last.is_found, last.energy, jnp.inf)
        after = _after(notes, energy - notes.energy, last)
        return Moved(last.edge, last.point, reached, last.is_end, after)

    def statistics(self, leaves: Array, notes: _Notes) -> dict[str, Array]:
        """Count gradients, and let the warmup aim at how good the single step is."""
        return {
            "n_steps": jnp.sum(notes.gradients),
            "acceptance_rate": jnp.sum(notes.acceptance) / leaves,
            "symmetric_acceptance_rate": jnp.sum(notes.symmetric_acceptance) / leaves,
        }

    def _try_level(
        self, flow: Flow, here: PhasePoint, energy: Array, step_size: Array, search: _Search
    ) -> _Search:
        """Try a level forward from ``here``, or backward from where the step leads."""
        backward = search.is_found
        start, start_energy = _choose(backward, (search.edge, search.energy), (here, energy))
        steps = jnp.ones((), jnp.int64) << search.level
        micro_step = jnp.where(backward, -step_size, step_size) / steps.astype(jnp.float64)
        nowhere = _Path(steps - steps, start, search.point, start_energy, start_energy, start_energy)
        path = self._walk(flow, nowhere, micro_step, steps)
        fits = self._is_within(path)
        found = (search.edge, search.point, search.energy)
        edge, point, energy = _choose(backward, found, (path.edge, path.point, path.energy))
        return _Search(
            level=jnp.where(backward | fits, search.level - 1, search.level + 1),
            is_found=backward | fits,
            is_end=backward & fits,
            edge=edge,
            point=point,
            energy=energy,
            gradients=search.gradients + path.steps,
        )

    def _walk(self, flow: Flow, start: _Path, micro_step: Array, steps: Array) -> _Path:
        def step(path: _Path) -> _Path:
            edge, point, energy = flow.step(path.edge, micro_step)
            lowest, highest = jnp.minimum(path.lowest, energy), jnp.maximum(path.highest, energy)
            return _Path(path.steps + 1, edge, point, energy, lowest, highest)

        def goes_on(path: _Path) -> Array:
            return (path.steps < steps) & self._is_within(path)

        return lax.while_loop(goes_on, step, start)

    def _is_within(self, path: _Path) -> Array:
        return path.highest - path.lowest <= self.max_error  # a NaN is not


@dataclass(frozen=True)
class Walnuts(MacroSteps):
    """Halve a step until the energy stays within a range along it: for funnels and other hard geometry.

    Attributes:
      max_error: the range that the energy may have along one macro step; positive.
      max_halvings: how often a macro step may be halved, 0 to 16; one that would need more diverges.
    """

    max_error: float = 1.5
    max_halvings: int = 10

    def __post_init__(self) -> None:
        """Check both numbers."""
        error: Any = self.max_error
        halvings: Any = self.max_halvings
        if not is_number(error) or not 0.0 < float(error) < float("inf"):
            raise SettingsError(
                f"max_error must be a positive, finite number, got {error!r}: write, say, max_error=1.5."
            )
        halvings = integer("max_halvings", halvings, least=0, most=MOST_HALVINGS, example=10)
        object.__setattr__(self, "max_error", float(error))
        object.__setattr__(self, "max_halvings", halvings)


def _after(notes: _Notes, change: Array, search: _Search) -> _Notes:
    """Return the notes of the next leaf, where the single step would have changed the energy by so much."""
    weight = jnp.where(jnp.isfinite(change), jnp.exp(jnp.minimum(-change, _LARGEST_LOG_WEIGHT)), 0.0)
    acceptance = jnp.minimum(weight, 1.0)
    return _Notes(
        energy=search.energy,
        gradients=notes.gradients + search.gradients,
        acceptance=notes.acceptance + acceptance,
        symmetric_acceptance=notes.symmetric_acceptance + 2.0 * acceptance / (1.0 + weight),
    )


def _choose(condition: Array, taken: Any, kept: Any) -> Any:
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), taken, kept)
