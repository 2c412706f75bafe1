"""What a chain adapts by itself, transition by transition: its step size; the metric comes in lessons."""

import jax.numpy as jnp
from jax import Array

from exmc_actors.kernel import Metric, Transition
from exmc_actors.warmup.dual_averaging import DualAveraging, update
from exmc_actors.warmup.estimation import without_directions


def first_metric(gradient: Array, capacity: int) -> Metric:
    """Guess a diagonal from one gradient: an inverse mass of 1 / |g|, and 1 where that says nothing."""
    guess = 1.0 / jnp.abs(gradient)
    guess = jnp.where(jnp.isfinite(guess) & (guess > 0.0), guess, 1.0)
    return without_directions(jnp.sqrt(guess), capacity)


def adapt(
    state: DualAveraging, index: Array, early: Array, report: Transition, target: Array
) -> DualAveraging:
    """Take in one warmup transition.

    Args:
      state: what was learnt before it.
      index: its index in the warmup.
      early: the index from which the chain counts as near stationarity.
      report: what the kernel says of the transition.
      target: the acceptance to aim at.
    """
    # The symmetric statistic is the better target near stationarity; far from it, it rewards a fall in
    # energy as little as a rise and would keep the first steps small.
    acceptance = jnp.where(index < early, report.acceptance_rate, report.symmetric_acceptance_rate)
    return update(state, acceptance, target)


def step_size_of(state: DualAveraging, is_warmup: Array) -> Array:
    """Return the step size of the next transition: the last one tried, or the average in the end."""
    return jnp.exp(jnp.where(is_warmup, state.log_step_size, state.log_average))
