"""Move a program's arrays to the device that it runs on, and keep small ones there between runs."""

from typing import Any

import jax
import numpy as np

from exmc_actors.runtime.pace import CALL_SECONDS
from exmc_actors.xla import calling

_MOST_KEPT = 1 << 20
"""Bytes that stay on the device: moving so few costs a call, and keeping them no memory to speak of."""
_SPEED = 1e9
"""Bytes a second that go to a device, or are copied: the worst of what was seen."""


class DeviceArrays:
    """The arrays of the last program that was moved to a device."""

    def __init__(self, device: Any) -> None:
        """Hold none yet."""
        self._device = device
        self._kept: tuple[Any, Any] | None = None

    def put(self, arguments: Any) -> Any:
        """Return a program's arrays on the device: those of last time, if they are of the same program.

        Args:
          arguments: as the program has them.
        """
        kept = self._kept
        if kept is not None and kept[0] is arguments:
            return kept[1]
        with calling():
            moved = jax.device_put(arguments, self._device)
        if _are_constant(arguments) and _bytes_of(arguments) <= _MOST_KEPT:
            self._kept = arguments, moved
        return moved

    def seconds_to_put(self, arguments: Any) -> float:
        """Return how long ``put`` may take."""
        return CALL_SECONDS + _bytes_of(arguments) / _SPEED


def _are_constant(arguments: Any) -> bool:
    """Whether the arrays are frozen ones of their own, as the compiler makes them, which nobody changes."""
    return all(
        isinstance(one, np.ndarray) and one.flags.owndata and not one.flags.writeable
        for one in jax.tree.leaves(arguments)
    )


def _bytes_of(arguments: Any) -> int:
    return sum(np.asarray(one).nbytes for one in jax.tree.leaves(arguments))
