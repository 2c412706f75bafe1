"""Lay a tree of numbers out in one vector, and find it there again, on the host and inside a program.

Integers are exact in a float64 as long as they have no more than 53 bits; those of a chain have 32.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array


def pack_traced(tree: Any) -> Array:
    """Return the numbers of all leaves, in order, inside a program."""
    return jnp.concatenate([jnp.ravel(leaf).astype(jnp.float64) for leaf in jax.tree.leaves(tree)])


def pack_lanes(tree: Any, width: int) -> Array:
    """Return the numbers of all leaves whose last axis is that of the lanes, shape (size, width)."""
    leaves = [leaf.astype(jnp.float64).reshape(-1, width) for leaf in jax.tree.leaves(tree)]
    return jnp.concatenate(leaves)


class Packing:
    """How trees of some structure lie in a vector."""

    def __init__(self, like: Any) -> None:
        """Take the shapes and dtypes of the leaves of a tree like this one."""
        leaves, self._structure = jax.tree.flatten(like)
        ends = np.cumsum([leaf.size for leaf in leaves]).tolist()
        self._places = [
            # Each step on the host is made for every leaf of every block: a number is taken by its index.
            (slice(end - leaf.size, end) if leaf.ndim else end - 1, leaf.shape, leaf.dtype)
            for leaf, end in zip(leaves, ends, strict=True)
        ]
        self.size = ends[-1]
        """The length of the vector."""

    def pack(self, tree: Any, vector: np.ndarray) -> None:
        """Write the numbers of all leaves into a vector, on the host."""
        for (place, shape, _), leaf in zip(self._places, jax.tree.leaves(tree), strict=True):
            vector[place] = leaf if len(shape) < 2 else np.reshape(leaf, -1)

    def unpack(self, vector: Any) -> Any:
        """Return the tree; on the host its vectors and matrices of floats are views of the vector.

        Args:
          vector: of shape (size,), or (size, w) for trees whose leaves have the lanes on their last axis.
        """
        lanes = vector.shape[1:]
        leaves = [
            vector[place]
            if len(shape) < 2 and dtype == np.float64
            else vector[place].reshape((*shape, *lanes)).astype(dtype, copy=False)
            for place, shape, dtype in self._places
        ]
        return jax.tree.unflatten(self._structure, leaves)
