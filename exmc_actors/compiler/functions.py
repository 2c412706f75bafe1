"""Compile the functions of one density, once however many data sets it meets."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from exmc_actors.xla import compiler_options

_MOST_KEPT = 64


class Density(Protocol):
    """The traced functions of a target; equal and hashable by what they compile to."""

    def log_density(self, flat: jax.Array, arguments: Any) -> jax.Array:
        """Return the log density."""

    def terms(self, flat: jax.Array, arguments: Any) -> dict[str, jax.Array]:
        """Return the parts of the log density."""

    def values(self, flat: jax.Array, arguments: Any) -> jax.Array:
        """Return the reported values."""

    def unconstrained(self, values: Mapping[str, jax.Array], around: jax.Array, arguments: Any) -> jax.Array:
        """Return the flat vector at the given values."""

    def __hash__(self) -> int:
        """Agree with equality."""


@dataclass(frozen=True)
class Functions:
    """Functions compiled at their first call; each takes the arguments last."""

    log_density: Callable[..., Any]
    log_density_and_grad: Callable[..., Any]
    terms: Callable[..., Any]
    values: Callable[..., Any]
    unconstrained: Callable[..., Any]
    leapfrog: Callable[..., Any]


@lru_cache(maxsize=_MOST_KEPT)
def functions_of(density: Density) -> Functions:
    """Return the compiled functions of a density; equal densities share them."""
    value_and_grad = jax.value_and_grad(density.log_density)

    def leapfrog(position: Any, momentum: Any, grad: Any, step_size: Any, metric: Any, arguments: Any) -> Any:
        half = momentum + 0.5 * step_size * grad
        velocity = metric * half if jnp.ndim(metric) == 1 else metric @ half
        moved = position + step_size * velocity
        value, slope = value_and_grad(moved, arguments)
        return moved, half + 0.5 * step_size * slope, value, slope

    compiled = partial(jax.jit, compiler_options=compiler_options())
    return Functions(
        log_density=compiled(density.log_density),
        log_density_and_grad=compiled(value_and_grad),
        # An ordered mapping comes back in its own order, a plain one sorted by name.
        terms=compiled(lambda flat, arguments: OrderedDict(density.terms(flat, arguments))),
        values=compiled(density.values),
        unconstrained=compiled(density.unconstrained),
        leapfrog=compiled(leapfrog),
    )
