"""Compose step size, moments and windows into one warmup state that a chain carries along.

The metric is the diagonal that minimises the Fisher divergence to a normal: the square root of the
ratio of the variances of positions and gradients.  It needs few draws, because for a normal it is exact
in each coordinate, and it has no absolute floor, which a posterior with tiny scales could not bear.

References:
  Seyboldt, Carlson and Carpenter (2026), *Preconditioning HMC by minimising the Fisher divergence*,
  arXiv 2603.18845.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from exmc_actors.kernel import Point, Transition
from exmc_actors.warmup import dual_averaging, moments, windows

_FEWEST_PAIRS = 8.0  # below, a variance says too little to replace the gradient's scale


class Adaptation(NamedTuple):
    """All that warmup has learnt, and nothing else."""

    inverse_mass: Array
    step_size: dual_averaging.DualAveraging
    foreground: moments.Moments
    background: moments.Moments
    window: Array


def first_inverse_mass(gradient: Array) -> Array:
    """Guess the diagonal from one gradient: 1 / |g|, and 1 where that says nothing."""
    guess = 1.0 / jnp.abs(gradient)
    return jnp.where(jnp.isfinite(guess) & (guess > 0.0), guess, 1.0)


def begin(inverse_mass: Array, step_size: Array) -> Adaptation:
    """Return the state before the first iteration."""
    nothing = moments.empty(inverse_mass.shape[0])
    return Adaptation(
        inverse_mass, dual_averaging.start(step_size), nothing, nothing, jnp.asarray(windows.FIRST_WINDOW)
    )


def adapt(
    state: Adaptation,
    index: Array,
    tune: Array,
    before: Array,
    point: Point,
    report: Transition,
    target: Array,
) -> Adaptation:
    """Take in one warmup transition.

    Args:
      state: what was learnt before it.
      index: its index in the warmup.
      tune: the number of warmup transitions.
      before: the position that it started from.
      point: the point that it ended at.
      report: what the kernel says of it.
      target: the acceptance to aim at.
    """
    counts = jnp.any(point.position != before) & ~report.diverging
    pair = jnp.stack([point.position, point.gradient])
    foreground = moments.add(state.foreground, pair, counts)
    background = moments.add(state.background, pair, counts)
    decision = windows.decide(index, tune, background.pairs, state.window)
    foreground = _where(decision.switches, background, foreground)
    background = _where(decision.switches, moments.empty(before.shape[0]), background)
    learnt = decision.adapts_metric & (foreground.pairs >= _FEWEST_PAIRS)
    # The symmetric statistic is the better target near stationarity; far from it, it rewards a fall in
    # energy as little as a rise and would keep the first steps small.
    acceptance = jnp.where(decision.is_early, report.acceptance_rate, report.symmetric_acceptance_rate)
    step_size = dual_averaging.update(state.step_size, acceptance, target)
    return Adaptation(
        inverse_mass=jnp.where(learnt, _fisher_diagonal(foreground, state.inverse_mass), state.inverse_mass),
        step_size=_where(tune >= windows.SHORTEST, step_size, state.step_size),
        foreground=foreground,
        background=background,
        window=decision.window,
    )


def current_step_size(state: Adaptation, is_warmup: Array) -> Array:
    """Return the step size of the next transition: the last one tried, or the average in the end."""
    chosen = jnp.where(is_warmup, state.step_size.log_step_size, state.step_size.log_average)
    return jnp.exp(chosen)


def _fisher_diagonal(pairs: moments.Moments, kept: Array) -> Array:
    ratio = jnp.sqrt(pairs.squares[0] / pairs.squares[1])
    return jnp.where(jnp.isfinite(ratio) & (ratio > 0.0), ratio, kept)


def _where(condition: Array, new: Any, old: Any) -> Any:
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), new, old)
