"""Say where chains are to start: where the user or the target says, or at random; nothing is tried here."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from exmc_actors.chain import RANDOM_RADIUS, chain_key
from exmc_actors.compiler import Target
from exmc_actors.runtime.settings import Settings


class StartPosition(NamedTuple):
    """Where a chain looks for its start: a cube of the unconstrained space."""

    centre: np.ndarray
    radius: float
    """Where it is 0, the centre is the start."""


def start_positions(
    target: Target, settings: Settings, chains: Iterable[int] | None = None
) -> list[StartPosition]:
    """Return where each chain looks for its start.

    Args:
      target: of the run.
      settings: of the run.
      chains: numbers; None means those that the run begins with.

    Raises:
      ModelError: a name is unknown, or a value does not fit its variable.
    """
    return [
        _start_position(target, settings.start_of(chain), chain_key(settings.random_seed, chain))
        for chain in (range(settings.chains) if chains is None else chains)
    ]


def _start_position(target: Target, values: Mapping[str, Any] | None, key: np.ndarray) -> StartPosition:
    """Where some values are given, the others are random, from the chain's own key."""
    centre, radius = np.zeros(target.dim), RANDOM_RADIUS
    if target.init is not None:
        centre, radius = target.init, target.jitter
    if values is None:
        return StartPosition(centre, radius)
    random = np.random.default_rng(key).uniform(-radius, radius, target.dim)
    return StartPosition(target.unconstrain(values, around=centre + random), 0.0)
