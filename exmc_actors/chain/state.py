"""Hold everything needed to go on with a chain, and nothing else."""

from typing import Any, NamedTuple

import numpy as np
from jax import Array
from numpy.typing import NDArray

from exmc_actors.kernel import Point
from exmc_actors.warmup import Adaptation
from exmc_actors.warmup.dual_averaging import DualAveraging
from exmc_actors.warmup.moments import Moments


class ChainState(NamedTuple):
    """A pytree of arrays; with the program, its data and the settings it decides all later draws."""

    key: Array
    """The chain's key data, two uint32; the same for its whole life."""
    transitions: Array
    """How many were made so far, warmup included (int64): the index of the next."""
    point: Point
    adaptation: Adaptation


def empty_state(dim: int) -> ChainState:
    """Return a state in which each leaf has the dtype and shape that it must have, and takes no memory."""

    def zeros(*shape: int, dtype: str = "<f8") -> Any:
        return np.broadcast_to(np.zeros((), dtype), shape)

    moments = Moments(zeros(), zeros(2, dim), zeros(2, dim))
    step_size = DualAveraging(*(zeros() for _ in DualAveraging._fields))
    return ChainState(
        key=zeros(2, dtype="<u4"),
        transitions=zeros(dtype="<i8"),
        point=Point(zeros(dim), zeros(), zeros(dim)),
        adaptation=Adaptation(zeros(dim), step_size, moments, moments, zeros()),
    )


def chain_key(random_seed: int, chain: int) -> NDArray[np.uint32]:
    """Derive the key of one chain from the seed of a run: a function of these two numbers alone.

    References:
      NumPy's ``SeedSequence``, after O'Neill (2015), *Developing a seed_seq alternative*.
    """
    words = np.random.SeedSequence(random_seed, spawn_key=(chain,)).generate_state(2, np.uint32)
    return words.astype(np.uint32, copy=False)
