"""Let users evaluate a target: NumPy float64 in and out, whatever the host's settings of JAX are."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from exmc_actors.compiler.functions import Density, Functions, functions_of
from exmc_actors.compiler.layout import Layout
from exmc_actors.compiler.target import Traced
from exmc_actors.errors import ModelError
from exmc_actors.model import entry_text, unknown
from exmc_actors.xla import precise


class Evaluator:
    """The methods that every target has; a leaf says what its density, layouts and arguments are."""

    _density: Density
    layout: Layout
    """Where each free variable lies in the flat vector."""
    values_layout: Layout
    """Where each reported value lies in what ``values_at`` returns."""
    arguments: tuple[np.ndarray, ...]
    """The data, in the order that the functions expect."""
    jitter: float = 1.0
    """How far from ``init`` a chain may start, in each direction, where there is an ``init``."""

    @property
    def dim(self) -> int:
        """The length of the flat vector."""
        return self.layout.size

    @property
    def names(self) -> tuple[str, ...]:
        """The free variables, in order."""
        return self.layout.names

    @property
    def _functions(self) -> Functions:
        return functions_of(self._density)

    # The functions are the density's own: a method of this object would keep its data alive wherever a
    # compiled program is kept.
    @property
    def log_density_at(self) -> Traced:
        """The log density, from a flat vector and the arguments; for tracing by JAX."""
        return self._density.log_density

    @property
    def values_at(self) -> Traced:
        """The reported values in the order of ``values_layout``, likewise; for tracing by JAX."""
        return self._density.values

    def log_density(self, flat: Any) -> float:
        """Return the log density at an unconstrained point."""
        point = self._vector(flat)
        with precise():
            return float(self._functions.log_density(point, self.arguments))

    def log_density_and_grad(self, flat: Any) -> tuple[float, np.ndarray]:
        """Return the log density and its gradient at an unconstrained point."""
        point = self._vector(flat)
        with precise():
            value, slope = self._functions.log_density_and_grad(point, self.arguments)
            return float(value), np.array(slope)

    def terms(self, flat: Any) -> dict[str, float]:
        """Return what each variable, observation and potential adds to the log density."""
        point = self._vector(flat)
        with precise():
            terms = self._functions.terms(point, self.arguments)
            return {name: float(terms[name]) for name in terms}

    def constrain(self, flat: Any) -> dict[str, np.ndarray]:
        """Return the values at an unconstrained point: free variables, then deterministics."""
        point = self._vector(flat)
        with precise():
            values = np.array(self._functions.values(point, self.arguments))
        return self.values_layout.unflatten(values)

    def unconstrain(self, values: Mapping[str, Any], around: Any = None) -> np.ndarray:
        """Return the unconstrained point at which the free variables have the given values.

        Deterministics may be among the values, and are ignored.

        Args:
          values: by name.
          around: an unconstrained point that places the free variables that are not given; without it, each
            needs a value.

        Raises:
          ModelError: for a missing or unknown name, a wrong shape, or a value outside its support.
        """
        given = self._checked(values, is_whole=around is None)
        start = np.zeros(self.dim) if around is None else self._vector(around)
        with precise():
            flat = np.array(self._functions.unconstrained(given, start, self.arguments))
        wrong = np.flatnonzero(~np.isfinite(flat))
        if wrong.size:
            place, index = self.layout.place_at(int(wrong[0]))
            value = given[place.name]
            what = entry_text(index) if value.shape == place.shape else "the value"
            shown = value[index] if value.shape == place.shape else value.tolist()
            raise ModelError(
                f"{place.name}: {what} is {shown}, "
                f"where no chain can be: it must be {self._support_text(place.name)}, and not on a bound."
            )
        return flat

    def leapfrog(
        self, q: Any, p: Any, grad: Any, step_size: float, inverse_metric: Any
    ) -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
        """Advance position and momentum by one step; return both, the log density and its gradient.

        Args:
          q: the position, an unconstrained point.
          p: the momentum.
          grad: the gradient of the log density at ``q``.
          step_size: in units of the whitened space; negative to go back.
          inverse_metric: its diagonal, or the whole matrix.
        """
        vectors = [self._vector(vector) for vector in (q, p, grad)]
        metric = np.asarray(inverse_metric, dtype=np.float64)
        if metric.shape not in ((self.dim,), (self.dim, self.dim)):
            raise ModelError(
                f"inverse_metric must be {self.dim} numbers or a square matrix, got shape {metric.shape}."
            )
        with precise():
            moved = self._functions.leapfrog(*vectors, np.float64(step_size), metric, self.arguments)
            position, momentum, value, slope = moved
            return np.asarray(position), np.asarray(momentum), float(value), np.array(slope)

    def _support_text(self, name: str) -> str:
        """Return what the values of a free variable must be."""
        raise NotImplementedError

    def _vector(self, flat: Any) -> np.ndarray:
        vector = np.asarray(flat, dtype=np.float64)
        if vector.shape != (self.dim,):
            raise ModelError(
                f"a vector of {self.dim} numbers is expected, got shape {vector.shape}: "
                "unconstrain(values) makes one."
            )
        return vector

    def _checked(self, values: Mapping[str, Any], *, is_whole: bool) -> dict[str, np.ndarray]:
        for name in values:
            if name not in self.values_layout.names:
                raise ModelError(unknown("variable", str(name), self.names))
        missing = [name for name in self.names if name not in values]
        if missing and is_whole:
            raise ModelError(f"no value for {', '.join(missing)}: every free variable needs one.")
        given = {}
        for name, shape, _, _ in self.values_layout.places:
            if name in missing or name not in self.names:
                continue
            try:
                given[name] = np.asarray(values[name], dtype=np.float64)
            except (TypeError, ValueError, OverflowError) as error:
                raise ModelError(
                    f"{name} must be a number or an array of numbers, got {values[name]!r}."
                ) from error
            if given[name].shape != shape:
                raise ModelError(
                    f"{name}: a value of shape {shape} is expected, got shape {given[name].shape}."
                )
        return given
