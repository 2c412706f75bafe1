"""Find a step size of the right order of magnitude; fine tuning belongs to warmup."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

FIRST_STEP_SIZE = 0.1
_MAX_TRIES = 60


class StepSizeSearch(NamedTuple):
    """A step size that is doubled or halved until the acceptance of one step crosses the target.

    Only the decisions: whoever has a log density takes the step.

    References:
      Hoffman and Gelman (2014), algorithm 4.
    """

    step_size: Array
    """To be tried next; the one that was found, once the search is over."""
    tries: Array
    grows: Array
    """Whether it is doubled; the first try decides."""
    is_over: Array


def begin_search() -> StepSizeSearch:
    """Return a search before its first try."""
    no = jnp.zeros((), bool)
    return StepSizeSearch(jnp.asarray(FIRST_STEP_SIZE), jnp.zeros((), jnp.int64), no, no)


def after_try(search: StepSizeSearch, energy_error: Array, target_accept: Array) -> StepSizeSearch:
    """Take in the energy error of one step of ``search.step_size``; NaN is not accepted."""
    is_accepted = -energy_error > jnp.log(target_accept)
    grows = jnp.where(search.tries == 0, is_accepted, search.grows)
    is_over = (is_accepted != grows) | (search.tries >= _MAX_TRIES)
    factor = jnp.where(is_over, 1.0, jnp.where(grows, 2.0, 0.5))
    return StepSizeSearch(search.step_size * factor, search.tries + 1, grows, is_over)
