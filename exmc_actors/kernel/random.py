"""Turn one key and one transition's index into all random numbers of that transition.

Two generators.  ``transition_words`` spends one threefry call (``jax.random``, Salmon et al. 2011) on
words that nothing else uses: one for each momentum, one for the directions, two seeds, and one for the
step size.  The decisions inside the tree come from splitmix64's finaliser over a counter (Steele, Lea and
Flood 2014, *Fast splittable pseudorandom number generators*), some 4 ns each where threefry costs over
100; it passes BigCrush as published, and ``tests/kernel/test_random.py`` checks uniformity and the absence
of serial and cross-stream correlation.  No word serves two decisions: a shared bit biases a draw.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

_GOLDEN = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB


class TransitionWords(NamedTuple):
    """The random numbers of one transition."""

    normals: Array
    """Standard normals, shape (d,): the momentum in the whitened space."""
    directions: Array
    """A word whose bit k says whether doubling k goes forward in time."""
    leaf_seed: Array
    merge_seed: Array
    step_uniform: Array
    """Uniform on [0, 1): what the step size is jittered by."""


def transition_words(key: Array, index: Array | int, dim: int) -> TransitionWords:
    """Return the random numbers of transition ``index`` of the chain with this key.

    Args:
      key: the chain's threefry key data, two uint32.
      index: number of the transition, warmup included.
      dim: length of the position.
    """
    transition_key = jax.random.fold_in(jax.random.wrap_key_data(key, impl="threefry2x32"), index)
    words = jax.random.bits(transition_key, (dim + 4,), jnp.uint64)
    directions, leaf_seed, merge_seed, step = words[dim:]
    return TransitionWords(standard_normal(words[:dim]), directions, leaf_seed, merge_seed, _uniform(step))


def standard_normal(words: Array) -> Array:
    """Map uint64 words to standard normals by the inverse of the distribution function."""
    # 52 bits and a half: symmetric about zero, and never exactly -1 or 1, where erf_inv is infinite.
    uniform = ((words >> 12).astype(jnp.float64) + 0.5) * 2.0**-51 - 1.0
    normals: Array = jnp.sqrt(2.0) * jax.lax.erf_inv(uniform)
    return normals


def uniform_at(seed: Array, counter: Array) -> Array:
    """Return the uniform on [0, 1) that belongs to a seed and a counter."""
    word = seed + jnp.uint64(_GOLDEN) * (counter.astype(jnp.uint64) + jnp.uint64(1))
    word = (word ^ (word >> 30)) * jnp.uint64(_MIX_1)
    word = (word ^ (word >> 27)) * jnp.uint64(_MIX_2)
    return _uniform(word ^ (word >> 31))


def _uniform(word: Array) -> Array:
    uniform: Array = (word >> 11).astype(jnp.float64) * 2.0**-53
    return uniform
