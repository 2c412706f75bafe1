"""Sample any JAX function of one flat vector, with no model behind it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Any, final
from uuid import uuid4

import jax
import jax.numpy as jnp
import numpy as np

from exmc_actors.arguments import is_number
from exmc_actors.compiler.evaluator import Evaluator
from exmc_actors.compiler.layout import Layout
from exmc_actors.errors import ModelError
from exmc_actors.model import check_finite, frozen_array

_NAME = "x"


@dataclass(frozen=True, eq=False)
class _FunctionDensity:
    """A function as it is: nothing is transformed.  Equal where the function is the same object."""

    function: Callable[[jax.Array], Any]

    def __hash__(self) -> int:
        return id(self.function)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _FunctionDensity) and self.function is other.function

    def log_density(self, flat: jax.Array, arguments: Any) -> jax.Array:
        value = jnp.asarray(self.function(flat))
        if value.shape:
            raise ModelError(
                f"the log density must be one number, got shape {value.shape}: sum over its entries."
            )
        if not jnp.issubdtype(value.dtype, jnp.floating):
            raise ModelError(
                f"the log density must be a floating-point number, got one of dtype {value.dtype}: compute "
                "it from the vector's entries, which are float64."
            )
        return value.astype(flat.dtype)

    def terms(self, flat: jax.Array, arguments: Any) -> dict[str, jax.Array]:
        return {_NAME: self.log_density(flat, arguments)}

    def values(self, flat: jax.Array, arguments: Any) -> jax.Array:
        return flat

    def unconstrained(self, values: Mapping[str, jax.Array], around: jax.Array, arguments: Any) -> jax.Array:
        return values.get(_NAME, around)


@final
class LogDensity(Evaluator):
    """A log density given as a JAX function; its draws are called ``x``.

    Args:
      fn: takes a vector and returns a number, up to a constant the log density there.
      init: a vector around which chains start; its length is the dimension.
      jitter: how far from ``init`` each chain may start, uniformly in each direction; 0 starts all there.

    Raises:
      ModelError: if ``fn`` cannot be called, ``init`` is not a vector of finite numbers, or ``jitter`` is
        not a number from 0 on.
    """

    def __init__(self, fn: Callable[[jax.Array], Any], init: Any, *, jitter: Any = 1.0) -> None:
        if not callable(fn):
            raise ModelError(f"LogDensity takes a function of one vector, got {fn!r}.")
        start = frozen_array(init, "init")
        if start.ndim != 1 or not start.size:
            raise ModelError(f"init must be a vector with at least one entry, got shape {start.shape}.")
        check_finite(start)
        if not is_number(jitter) or not 0.0 <= float(jitter) < inf:
            raise ModelError(f"jitter must be a finite number from 0 on, got {jitter!r}: write jitter=1.0.")
        self.init = start.astype(np.float64)
        self.jitter = float(jitter)
        self._density = _FunctionDensity(fn)
        self.key = _key_of(self._density, start.size)
        self.layout = self.values_layout = Layout.of([(_NAME, start.shape)])
        self.arguments = ()
        self.observed_data: dict[str, np.ndarray] = {}
        self.constant_data: dict[str, np.ndarray] = {}
        self.dims: dict[str, tuple[str, ...]] = {}
        self.coords: dict[str, tuple[Any, ...]] = {}

    def _support_text(self, name: str) -> str:
        return "finite"

    def __repr__(self) -> str:
        return f"<LogDensity of {self.dim} numbers>"


@lru_cache(maxsize=256)
def _key_of(density: _FunctionDensity, dim: int) -> str:
    # A function cannot be told apart by its contents: another process has another key.  With vectors of
    # another length it is another program.
    return f"function-{uuid4().hex}"
