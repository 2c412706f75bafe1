"""Trajectories as lists of slots: what ``kernel.growth`` says with bits, said by extending a list."""

import jax.numpy as jnp
import pytest

from exmc_actors.kernel.growth import Growth

with_each_base = pytest.mark.parametrize("base", [2, 3])


def growth_of(base):
    return Growth(jnp.int64(base))


def words(base, extensions):
    """Return a word for every way in which a trajectory can grow so many times."""
    places = [-(-(place << 40) // base) for place in range(base)]
    doublings = extensions - (base - 1)
    return [place << 24 | bits << base - 1 for place in places for bits in range(1 << doublings)]


def in_time(base, extensions, word):
    """Return the slots in the order of time."""
    whole, before = [0], (word >> 24) * base >> 40
    for extension in range(extensions):
        is_first = extension < base - 1
        forward = before <= extension if is_first else word >> extension & 1
        new = list(range(len(whole), len(whole) + (1 if is_first else len(whole))))
        whole = whole + new if forward else new[::-1] + whole
    return whole
