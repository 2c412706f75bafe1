"""Ask a function of one's own about some entries of an array alone, with its arguments as they are.

What an argument's axes are for is the function's own affair, so that it is given the whole array: the other
entries stand at a point of the support, and what the function says of them is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import jax.numpy as jnp
import numpy as np

from exmc_actors.model.shapes import Shape


@dataclass(frozen=True)
class LogDensityOfEntries:
    """A log density of the entries at ``places`` of a flattened array of ``shape``.

    Equal for equal functions and places, so that a model that is declared twice has one key.
    """

    function: Callable[..., Any]
    shape: Shape
    places: tuple[int, ...]
    other: float
    """What the other entries are said to be."""

    def __call__(self, x: Any, *arguments: Any) -> Any:
        """Return the function's value for each of the entries."""
        order = np.full(prod(self.shape), len(self.places))
        order[list(self.places)] = np.arange(len(self.places))
        whole = jnp.append(x, self.other)[order].reshape(self.shape)
        value = jnp.asarray(self.function(whole, *arguments))
        return value.reshape(-1)[np.array(self.places)] if value.shape == self.shape else value


@dataclass(frozen=True)
class SamplerOfEntries:
    """Draws of the entries at ``places`` of a flattened array of ``shape``."""

    sampler: Callable[..., Any]
    shape: Shape
    places: tuple[int, ...]

    def __call__(self, key: Any, shape: Shape, *arguments: Any) -> Any:
        """Return what the sampler draws for the entries."""
        whole = jnp.broadcast_to(self.sampler(key, self.shape, *arguments), self.shape)
        return whole.reshape(-1)[np.array(self.places)].reshape(shape)
