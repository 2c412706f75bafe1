"""Hold everything needed to go on with a chain, and nothing else."""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from jax import Array
from numpy.typing import NDArray

from exmc_actors.kernel import Metric, Point
from exmc_actors.warmup import Learnt, rank_capacity
from exmc_actors.warmup.dual_averaging import DualAveraging, with_average


class ChainState(NamedTuple):
    """A pytree of arrays; with the program, its data and the settings it decides all later draws."""

    key: Array
    """The chain's key data, two uint32; the same for its whole life."""
    transitions: Array
    """How many were made so far, warmup included (int64): the index of the next."""
    point: Point
    metric: Metric
    step_size: DualAveraging

    def with_lesson(self, learnt: Learnt) -> "ChainState":
        """Return the state with what was learnt from all chains together."""
        step_size = self.step_size
        if learnt.log_step_size is not None:
            step_size = with_average(step_size, learnt.log_step_size)
        return self._replace(metric=learnt.metric, step_size=step_size)


def empty_state(dim: int) -> ChainState:
    """Return a state in which each leaf has the dtype and shape that it must have, and takes no memory."""

    def zeros(*shape: int, dtype: str = "<f8") -> Any:
        return np.broadcast_to(np.zeros((), dtype), shape)

    rows = rank_capacity(dim)
    return ChainState(
        key=zeros(2, dtype="<u4"),
        transitions=zeros(dtype="<i8"),
        point=Point(zeros(dim), zeros(), zeros(dim)),
        metric=Metric(zeros(dim), zeros(rows, dim), zeros(rows), zeros(dtype="<i8")),
        step_size=DualAveraging(*(zeros() for _ in DualAveraging._fields)),
    )


@lru_cache(maxsize=4096)
def chain_key(random_seed: int, chain: int) -> NDArray[np.uint32]:
    """Derive the key of one chain from the seed of a run: a function of these two numbers alone.

    References:
      NumPy's ``SeedSequence``, after O'Neill (2015), *Developing a seed_seq alternative*.
    """
    words = np.random.SeedSequence(random_seed, spawn_key=(chain,)).generate_state(2, np.uint32)
    key = words.astype(np.uint32, copy=False)
    key.flags.writeable = False  # whoever asks again gets the same one
    return key
