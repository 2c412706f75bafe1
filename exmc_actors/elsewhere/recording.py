"""Trace functions of another library once, so that its Python need never run again; nothing is compiled here.

Such libraries keep their state where all threads see it, and may be set otherwise later.  What was traced
depends on neither, takes its arrays as arguments, and stays in the precision that it was traced in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from exmc_actors.compiler import evaluate
from exmc_actors.elsewhere.evaluation import taking_rows


@dataclass(frozen=True, eq=False)
class Recording:
    """A traced function; it holds no data, only which of the arguments each array is."""

    jaxpr: Any
    constants: tuple[Any, ...]
    """For each constant of the jaxpr, its place among the arguments; or itself, where it is no array."""
    shape_of_result: Any

    def __call__(self, arguments: Any, *inputs: Any) -> Any:
        """Return what the function returns."""
        constants = [arguments[c] if isinstance(c, int) else c for c in self.constants]
        leaves = jax.core.eval_jaxpr(self.jaxpr, constants, *jax.tree.leaves(inputs))
        return jax.tree.unflatten(self.shape_of_result, leaves)


class Recorder:
    """Traces functions and gathers the arrays that they close over, each once."""

    def __init__(self) -> None:
        """Begin without arrays."""
        self._arrays: list[np.ndarray] = []
        self._places: dict[Any, int] = {}

    @property
    def arguments(self) -> tuple[np.ndarray, ...]:
        """The arrays gathered so far."""
        return tuple(self._arrays)

    def record(self, function: Callable[..., Any], *examples: Any) -> Recording:
        """Trace a function of arrays, or of mappings of arrays, of the shapes and dtypes of the examples."""
        traced, shapes = jax.make_jaxpr(function, return_shape=True)(*examples)
        closed = jax.make_jaxpr(partial(evaluate, taking_rows, traced.jaxpr, traced.consts))(
            *jax.tree.leaves(examples)
        )
        constants = tuple(self._place(constant) for constant in closed.consts)
        return Recording(closed.jaxpr, constants, jax.tree.structure(shapes))

    def _place(self, constant: Any) -> Any:
        if not _is_numeric(constant):
            return constant
        array = np.array(constant)
        contents = array.dtype.str, array.shape, sha256(array.tobytes()).digest()
        if contents not in self._places:
            self._places[contents] = len(self._arrays)
            array.flags.writeable = False
            self._arrays.append(array)
        return self._places[contents]


def _is_numeric(constant: Any) -> bool:
    """Say whether NumPy can hold it: keys of random numbers have a dtype of JAX's own."""
    dtype = jnp.result_type(constant)
    return bool(jnp.issubdtype(dtype, np.number) or jnp.issubdtype(dtype, np.bool_))
