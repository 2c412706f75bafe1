"""Place the start of a chain that a user gave values for, some or all."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from exmc_actors.compiler import Target


def start_position(target: Target, values: Mapping[str, Any] | None, key: np.ndarray) -> np.ndarray | None:
    """Return the unconstrained start of a chain, or None where the kernel is to look for one.

    Variables that are not given start at random, between -2 and 2 in the unconstrained space, from the
    chain's own key.

    Raises:
      ModelError: a name is unknown, or a value does not fit its variable.
    """
    if values is None:
        return target.init
    missing = [name for name in target.names if name not in values]
    if missing:
        random = np.random.default_rng(key).uniform(-2.0, 2.0, target.dim)
        values = {name: target.constrain(random)[name] for name in missing} | dict(values)
    return target.unconstrain(values)
