"""Compile a model: rewrite it, split structure from data, and offer its functions."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import jax
import numpy as np

from exmc_actors.blas import one_thread
from exmc_actors.compiler import traced
from exmc_actors.compiler.evaluator import Evaluator
from exmc_actors.compiler.known_logarithms import with_known_logarithms
from exmc_actors.compiler.passes import rewrite
from exmc_actors.compiler.structure import Structure, split
from exmc_actors.errors import ModelError
from exmc_actors.model import Model


@dataclass(frozen=True)
class _StructureDensity:
    """The traced functions of a structure; equal where the structures' keys are."""

    structure: Structure

    def log_density(self, flat: jax.Array, arguments: Any) -> jax.Array:
        density = partial(traced.log_density, self.structure)
        value: jax.Array = with_known_logarithms(density, flat, arguments)
        return value

    def terms(self, flat: jax.Array, arguments: Any) -> dict[str, jax.Array]:
        def terms(*inputs: Any) -> OrderedDict[str, jax.Array]:
            return OrderedDict(traced.log_terms(self.structure, *inputs))

        return dict(with_known_logarithms(terms, flat, arguments))

    def values(self, flat: jax.Array, arguments: Any) -> jax.Array:
        return traced.values(self.structure, flat, arguments)

    def unconstrained(self, values: Mapping[str, jax.Array], around: jax.Array, arguments: Any) -> jax.Array:
        return traced.unconstrained(self.structure, values, around, arguments)


@final
class Program(Evaluator):
    """A compiled model with its data.  Made by ``compile``; XLA compiles at the first use.

    ``log_density`` is log p(all variables) + log |d free variables / d flat|.
    """

    init: np.ndarray | None = None
    """Chains start at random points."""

    def __init__(self, model: Model) -> None:
        self.model = model
        with one_thread():  # what is known is computed here, such as the triangle of a regression's rows
            self._rewritten = rewrite(model)
            structure, self.arguments = split(self._rewritten)
        self._density = _StructureDensity(structure)
        self.layout = structure.layout
        self.values_layout = structure.values_layout
        self.key = structure.key

    @property
    def observed_data(self) -> dict[str, np.ndarray]:
        """The observations, by name."""
        return self.model.observed_data

    @property
    def constant_data(self) -> dict[str, np.ndarray]:
        """The named inputs, by name."""
        return self.model.constant_data

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """The names of axes, for whatever was declared with dims."""
        return self.model.dims

    @property
    def coords(self) -> dict[str, tuple[Any, ...]]:
        """The labels along named axes."""
        return dict(self.model.coords)

    def with_data(self, **arrays: Any) -> "Program":
        """Return the program with other values for inputs and observations; nothing is compiled again.

        Raises:
          ModelError: as ``Model.with_data``.
        """
        return Program(self.model.with_data(**arrays))

    def _support_text(self, name: str) -> str:
        site = next(site for site in self._rewritten.free if site.name == name)
        constrained = site.transform.constrains if site.transform is not None else ""
        return constrained or str(site.distribution.support)

    def __repr__(self) -> str:
        return f"<Program of {self.dim} unconstrained numbers: {', '.join(self.names)}>"


def compile(model: Model) -> Program:
    """Return the program of a model: the same one for as long as the model is around.

    Raises:
      ModelError: if it is not a model.
    """
    if not isinstance(model, Model):
        raise ModelError(f"compile takes a Model, got {model!r}: a builder gives one by b.model().")
    if "program" not in model.derived:
        model.derived["program"] = Program(model)
    program: Program = model.derived["program"]
    return program
