"""One module a sampling library: how a user of it would sample a problem, at its own defaults.

Each has a class ``Peer`` of the same face:

``Peer(problem)``           builds the model and compiles what can be compiled before a run
``layout``                  the shapes of the free variables, by name; not asked for inside what is timed
``log_density(point)``      at unconstrained values by name, up to a constant
``sample(draws, seed)``     the whole call that a user makes, as a ``Sample``
``summary(sample)``         the library's own table of a result

This module is imported where no peer is: by the harness, which holds none of them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

NAMES = ("ours", "ours_rows", "nutpie", "numpyro", "blackjax", "pymc")
AS_CALLED = ("numpyro_as_called", "blackjax_as_called")
"""As their documentation calls them, so that every call compiles; where they are asked for."""
CHAINS, CORES = 4, 2
ON_DEVICES = {"XLA_FLAGS": f"--xla_force_host_platform_device_count={CHAINS}", "JAX_ENABLE_X64": "1"}
ENVIRONMENT = dict.fromkeys(("numpyro", "blackjax", *AS_CALLED), ON_DEVICES)
"""What must stand in a peer's environment before it is imported: a host device for each chain, doubles."""


class Sample(NamedTuple):
    """What a call returned, in the words of the harness."""

    values: dict[str, np.ndarray]
    """The free variables at least, (chain, draw, ...), by name."""
    diverging: float
    """The share of the kept draws."""
    gradients: Callable[[], int]
    """Of the log density, warmup included; called outside what is timed, since it may sample again."""
    result: Any
    """What the library returned."""
    seconds: float | None = None
    """The library's own time without compiling, where every call of it compiles; None: the clock's time."""
