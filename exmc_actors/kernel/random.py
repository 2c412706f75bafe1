"""Turn one key and one transition's index into all random numbers of that transition.

Two generators.  ``transition_words`` spends threefry (Salmon et al. 2011, *Parallel random numbers: as
easy as 1, 2, 3*), whose counters are the transition and the word, on words that nothing else uses: one
for each momentum, one for the directions, two seeds, and one for the step size.  The decisions inside the
tree come from splitmix64's finaliser over a counter (Steele, Lea and Flood 2014, *Fast splittable
pseudorandom number generators*), some 4 ns each where threefry costs over 100; it passes BigCrush as
published.  ``tests/kernel/test_random.py`` checks uniformity and the absence of serial and cross-stream
correlation, and ``docs/random_numbers.md`` reports what dieharder says of the streams as they are used.
No word serves two decisions: a shared bit biases a draw.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from exmc_actors.kernel.normal import standard_normal

_GOLDEN = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB
_PARITY = 0x1BD11BDA
_ROTATIONS = (13, 15, 26, 6), (17, 29, 16, 24)


class TransitionWords(NamedTuple):
    """The random numbers of one transition."""

    normals: Array
    """Standard normals, shape (d,): the momentum in the whitened space."""
    directions: Array
    """A word of the directions in which the trajectory grows, as ``growth.py`` reads it."""
    leaf_seed: Array
    """Seeds the choice of one leaf of a subtree that does not fit into the room, by the leaves' slots."""
    choice_seed: Array
    """Seeds the choice between such a leaf and what was there, by depth, and where the chain moves.

    For the latter it has two counters, the largest depth and the next.
    """
    step_uniform: Array
    """Uniform on [0, 1): what the step size is jittered by."""


def transition_words(key: Array, index: Array | int, dim: int) -> TransitionWords:
    """Return the random numbers of transition ``index`` of the chain with this key.

    Args:
      key: the chain's threefry key data, two uint32.
      index: number of the transition, warmup included.
      dim: length of the position.
    """

    number = dim + 4
    counters = jnp.arange(number, dtype=jnp.uint32)

    def draw() -> Array:
        high, low = _threefry(key, jnp.full_like(counters, index), counters)
        return high.astype(jnp.uint64) << 32 | low.astype(jnp.uint64)

    # XLA would compute the words again wherever one is used, and the normals, but for the borders of
    # conditionals.
    is_one = jnp.asarray(index) >= 0
    words: Array = lax.cond(is_one, draw, lambda: jnp.zeros(number, jnp.uint64))
    normals = lax.cond(is_one, lambda: standard_normal(words[:dim]), lambda: jnp.zeros(dim))
    directions, leaf_seed, choice_seed, step = words[dim:]
    return TransitionWords(normals, directions, leaf_seed, choice_seed, _uniform(step))


def _threefry(key: Array, high: Array, low: Array) -> tuple[Array, Array]:
    """Return the two halves of the blocks of some counters, all uint32: Threefry-2x32 with 20 rounds.

    The bits of JAX's own, which is a loop on a CPU and takes three times as long.
    """
    keys = (key[0], key[1], key[0] ^ key[1] ^ jnp.uint32(_PARITY))
    high, low = high + keys[0], low + keys[1]
    for group in range(5):
        for rotation in _ROTATIONS[group % 2]:
            high = high + low
            low = (low << rotation | low >> 32 - rotation) ^ high
        high = high + keys[(group + 1) % 3]
        low = low + keys[(group + 2) % 3] + jnp.uint32(group + 1)
    return high, low


def uniform_at(seed: Array, counter: Array) -> Array:
    """Return the uniform on [0, 1) that belongs to a seed and a counter."""
    word = seed + jnp.uint64(_GOLDEN) * (counter.astype(jnp.uint64) + jnp.uint64(1))
    word = (word ^ (word >> 30)) * jnp.uint64(_MIX_1)
    word = (word ^ (word >> 27)) * jnp.uint64(_MIX_2)
    return _uniform(word ^ (word >> 31))


def _uniform(word: Array) -> Array:
    uniform: Array = (word >> 11).astype(jnp.float64) * 2.0**-53
    return uniform
