"""Place the starts of chains that a user gave values for, some or all; looks for none by itself."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from exmc_actors.chain import chain_key
from exmc_actors.compiler import Target
from exmc_actors.runtime.settings import Settings


def start_positions(target: Target, settings: Settings) -> list[np.ndarray | None]:
    """Return each chain's unconstrained start, or None where the kernel is to look for one.

    Raises:
      ModelError: a name is unknown, or a value does not fit its variable.
    """
    return [
        _start_position(target, settings.start_of(chain), chain_key(settings.random_seed, chain))
        for chain in range(settings.chains)
    ]


def _start_position(target: Target, values: Mapping[str, Any] | None, key: np.ndarray) -> np.ndarray | None:
    """Return the start of one chain; what is not given is random, from the chain's own key."""
    if values is None:
        return target.init
    random = np.random.default_rng(key).uniform(-2.0, 2.0, target.dim)
    return target.unconstrain(values, around=random)
