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
            (slice(end - leaf.size, end), leaf.shape, leaf.dtype)
            for leaf, end in zip(leaves, ends, strict=True)
        ]
        # Each step on the host is made for every leaf of every block: a number has its index and its type,
        # and a vector of floats is taken as it lies there.
        self._numbers = [place.start if shape == () else None for place, shape, _ in self._places]
        self._are_plain = [len(shape) == 1 and dtype == np.float64 for _, shape, dtype in self._places]
        self.size = ends[-1]
        """The length of the vector."""

    def pack(self, tree: Any, vector: np.ndarray) -> None:
        """Write the numbers of all leaves into a vector, on the host."""
        for number, (place, shape, _), leaf in zip(
            self._numbers, self._places, jax.tree.leaves(tree), strict=True
        ):
            if number is not None:
                vector[number] = leaf
            else:
                vector[place] = leaf if len(shape) == 1 else np.reshape(leaf, -1)

    def unpack(self, vector: np.ndarray) -> Any:
        """Return the tree, on the host; its vectors and matrices of floats are views of the vector."""
        leaves = [
            dtype.type(vector[number])
            if number is not None
            else vector[place]
            if is_plain
            else vector[place].reshape(shape).astype(dtype, copy=False)
            for number, is_plain, (place, shape, dtype) in zip(
                self._numbers, self._are_plain, self._places, strict=True
            )
        ]
        return jax.tree.unflatten(self._structure, leaves)

    def unpack_traced(self, vector: Any) -> Any:
        """Return the tree, inside a program.

        Args:
          vector: of shape (size,), or (size, w) for trees whose leaves have the lanes on their last axis.
        """
        lanes = vector.shape[1:]
        leaves = [
            vector[place].reshape((*shape, *lanes)).astype(dtype, copy=False)
            for place, shape, dtype in self._places
        ]
        return jax.tree.unflatten(self._structure, leaves)
