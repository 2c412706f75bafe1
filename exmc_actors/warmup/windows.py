"""Say at which warmup iterations the window of the metric moves on; sees counts, never draws.

Two estimators are fed at once.  The foreground gives the metric; the background is younger and takes
its place at a switch, so that the metric is always from recent draws and never from few.  Early
windows are short, because the first draws are far from typical; later ones grow.

References:
  Seyboldt, Carlson and Carpenter (2026), arXiv 2603.18845, section on adaptation windows.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

EARLY = 0.3
"""The fraction of warmup with short windows."""
FINAL = 0.15
"""The fraction at the end in which only the step size is adapted."""
EARLY_WINDOW = 10.0
FIRST_WINDOW = 80.0
GROWTH = 1.5


SHORTEST = 10
"""A shorter warmup adapts nothing: the first moves of the step size are large, and few average badly."""


class Decision(NamedTuple):
    """What the schedule says about one iteration."""

    is_early: Array
    switches: Array
    adapts_metric: Array
    window: Array
    """The size of the window that is now being filled."""


def decide(index: Array, tune: Array, background_pairs: Array, window: Array) -> Decision:
    """Place iteration ``index`` of ``tune``.

    Args:
      index: 0 for the first iteration.
      tune: the number of warmup iterations.
      background_pairs: how many are in the background estimator, this iteration's included.
      window: the current size of the main window; ``FIRST_WINDOW`` at the start.
    """
    final_start = jnp.ceil((1.0 - FINAL) * tune)
    is_early = index < jnp.floor(EARLY * tune)
    adapts_metric = index < final_start
    early_switch = is_early & (background_pairs >= EARLY_WINDOW)
    grown = window * GROWTH
    main_switch = ~is_early & (background_pairs >= window) & (index + 1 + grown <= final_start)
    return Decision(
        is_early=is_early,
        switches=adapts_metric & (early_switch | main_switch),
        adapts_metric=adapts_metric,
        window=jnp.where(main_switch, grown, window),
    )
