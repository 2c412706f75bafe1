"""Make a target of the functions of another library's model; which functions these are is said elsewhere."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, final
from uuid import uuid4

import jax
import jax.numpy as jnp
import numpy as np

from exmc_actors.compiler import Evaluator, Layout
from exmc_actors.elsewhere.recording import Recorder, Recording
from exmc_actors.errors import ModelError
from exmc_actors.model import Shape
from exmc_actors.model.result_names import AXES_OF_DRAWS, BOTH_AXES

Values: TypeAlias = Mapping[str, jax.Array]


@dataclass(frozen=True)
class Description:
    """What a library says of a model: traceable functions of its own unconstrained vector, and names."""

    library: str
    layout: Layout
    """Of the unconstrained vector."""
    values_layout: Layout
    """Of the reported values: free variables, then deterministics."""
    log_density: Callable[[jax.Array], jax.Array]
    terms: Callable[[jax.Array], Values]
    """The parts of the log density, scalars by name."""
    values: Callable[[jax.Array], Values]
    unconstrained: Callable[[Values, Values, jax.Array], jax.Array]
    """From values of all free variables, for each whether its value counts, and a vector for the others."""
    init: np.ndarray | None = None
    observed_data: Mapping[str, np.ndarray] = field(default_factory=dict)
    constant_data: Mapping[str, np.ndarray] = field(default_factory=dict)
    dims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    coords: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _RecordedDensity:
    """The recorded functions of a description; equal to itself only."""

    layout: Layout
    values_layout: Layout
    recorded_log_density: Recording
    recorded_terms: Recording
    recorded_values: Recording
    recorded_unconstrained: Recording

    def log_density(self, flat: jax.Array, arguments: Any) -> jax.Array:
        return jnp.asarray(self.recorded_log_density(arguments, flat), flat.dtype)

    def terms(self, flat: jax.Array, arguments: Any) -> dict[str, jax.Array]:
        return dict(self.recorded_terms(arguments, flat))

    def values(self, flat: jax.Array, arguments: Any) -> jax.Array:
        return flattened(self.values_layout, self.recorded_values(arguments, flat), flat.dtype)

    def unconstrained(self, values: Values, around: jax.Array, arguments: Any) -> jax.Array:
        shapes = {place.name: place.shape for place in self.values_layout.places}
        names = self.layout.names
        all_values = {name: values.get(name, jnp.zeros(shapes[name], around.dtype)) for name in names}
        is_given = {name: jnp.asarray(name in values) for name in names}
        return jnp.asarray(self.recorded_unconstrained(arguments, all_values, is_given, around))


@final
class Borrowed(Evaluator):
    """A model of another library as a target.  Made by ``from_numpyro`` and ``from_pymc``.

    Its functions are the library's own, traced once in double precision; its arrays are the arguments.
    """

    def __init__(self, description: Description) -> None:
        """Trace the functions; call it within ``precise()``."""
        _check_names(description)
        self._library = description.library
        self.key = f"{description.library}-{uuid4().hex}"
        self.layout, self.values_layout = description.layout, description.values_layout
        self.init = description.init
        self.observed_data = dict(description.observed_data)
        self.constant_data = dict(description.constant_data)
        self.dims, self.coords = _dims_that_fit(description), dict(description.coords)
        recorder = Recorder()
        flat = np.zeros(self.layout.size)
        shapes = {place.name: place.shape for place in self.values_layout.places}
        values = {name: np.zeros(shapes[name]) for name in self.layout.names}
        is_given = {name: np.zeros((), bool) for name in self.layout.names}
        self._density = _RecordedDensity(
            self.layout,
            self.values_layout,
            recorder.record(description.log_density, flat),
            # An ordered mapping keeps its order through JAX, a plain one does not.
            recorder.record(lambda flat: OrderedDict(description.terms(flat)), flat),
            recorder.record(description.values, flat),
            recorder.record(description.unconstrained, values, is_given, flat),
        )
        self.arguments = recorder.arguments

    def _support_text(self, name: str) -> str:
        return "in its support"

    def __repr__(self) -> str:
        return f"<{self._library} model of {self.dim} unconstrained numbers: {', '.join(self.names)}>"


def flattened(layout: Layout, values: Values, dtype: Any = np.float64) -> jax.Array:
    """Return named values in one vector."""
    parts = [jnp.asarray(values[name], dtype).reshape(size) for name, _, _, size in layout.places]
    return jnp.concatenate(parts) if parts else jnp.zeros(0, dtype)


def unflattened(layout: Layout, flat: jax.Array) -> dict[str, jax.Array]:
    """Return the named values in a vector."""
    return {
        name: jax.lax.slice(flat, (offset,), (offset + size,)).reshape(shape)
        for name, shape, offset, size in layout.places
    }


def _check_names(description: Description) -> None:
    if not description.layout.size:
        raise ModelError(f"the {description.library} model has no free variable: there is nothing to sample.")
    for name in description.values_layout.names:
        if name in (*AXES_OF_DRAWS, BOTH_AXES):
            raise ModelError(f"{name!r} names an axis of the draws in results: choose another name.")
        if "/" in name:
            raise ModelError(f"{name!r} holds a '/', which results read as a path: choose another name.")


def _dims_that_fit(description: Description) -> dict[str, tuple[str, ...]]:
    """Return the dims that a result can hold: an axis cannot share its name with a value, or be a path."""
    taken = {*description.values_layout.names, *description.observed_data, *description.constant_data}
    taken |= {*AXES_OF_DRAWS, BOTH_AXES}
    return {
        name: tuple(
            f"{name}_dim_{axis}" if dim in taken or "/" in dim else dim for axis, dim in enumerate(dims)
        )
        for name, dims in description.dims.items()
    }


def shapes_of(arrays: Mapping[str, Any]) -> list[tuple[str, Shape]]:
    """Return names with shapes, as a layout takes them."""
    return [(name, tuple(np.shape(array))) for name, array in arrays.items()]
