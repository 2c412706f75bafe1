"""Hold a model: an ordered, immutable list of sites; everything done to a model is a function elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from exmc_actors.errors import ModelError
from exmc_actors.model.arrays import frozen_array
from exmc_actors.model.coords import Coords
from exmc_actors.model.expression import Constant
from exmc_actors.model.names import unknown
from exmc_actors.model.scope import Scope
from exmc_actors.model.shapes import Shape
from exmc_actors.model.sites import Data, Measurement, Observation, Site, Variable


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """What was declared, in order.  Made by ``Builder.model`` or ``Model.from_bytes``.

    Raises:
      ModelError: if a site does not fit those before it, or nothing is left to sample.
    """

    sites: tuple[Site, ...]
    coords: Coords = field(default_factory=dict)
    derived: dict[str, Any] = field(default_factory=dict, init=False)
    """What others have computed from the model, to be computed once and to go with it."""

    def __post_init__(self) -> None:
        """Check every site against those before it."""
        object.__setattr__(self, "coords", MappingProxyType(dict(self.coords)))
        scope = Scope(self.coords)
        for site in self.sites:
            scope.declare(site)
        object.__setattr__(self, "_scope", scope)
        if not self.free:
            raise ModelError(
                "the model has no free variables, so there is nothing to sample: declare one by b.rv(...)."
            )

    @property
    def scope(self) -> Scope:
        """The names, shapes and known arrays, as they are after the last site."""
        scope: Scope = self.__dict__["_scope"]
        return scope

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """The shape of everything that has a value, by name."""
        return MappingProxyType(self.scope.shapes)

    @property
    def free(self) -> tuple[Variable, ...]:
        """The variables that are sampled, in order of declaration."""
        solved = {site.variable for site in self.sites if isinstance(site, Measurement)}
        return tuple(site for site in self.sites if isinstance(site, Variable) and site.name not in solved)

    @property
    def observed_data(self) -> dict[str, np.ndarray]:
        """The observations, by name."""
        observed = (site for site in self.sites if isinstance(site, Observation | Measurement))
        return {site.name: site.value.array for site in observed}

    @property
    def constant_data(self) -> dict[str, np.ndarray]:
        """The named inputs, by name."""
        return {site.name: site.value.array for site in self.sites if isinstance(site, Data)}

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """The names of axes, for whatever was declared with dims."""
        named = ((site.name, getattr(site, "dims", None)) for site in self.sites)
        return {name: dims for name, dims in named if dims is not None}

    @cached_property
    def key(self) -> str:
        """A digest of the structure: everything but the values of arrays, coordinates and dims."""
        from exmc_actors.model.codec import structure_digest

        return structure_digest(self)

    def with_sites(self, sites: tuple[Site, ...]) -> Self:
        """Return the model with other sites."""
        return replace(self, sites=sites)

    def with_data(self, **arrays: Any) -> Self:
        """Return the model with other values for inputs and observations, given by name.

        The program stays the same: nothing is compiled again.

        Raises:
          ModelError: for an unknown name, another shape or kind of number, or values that do not fit.
        """
        replaceable = {site.name for site in self.sites if isinstance(site, Data | Observation | Measurement)}
        for name in arrays:
            if name not in replaceable:
                raise ModelError(unknown("data", name, sorted(replaceable)))
        return self.with_sites(tuple(_with_value(site, arrays) for site in self.sites))

    def to_bytes(self) -> bytes:
        """Return the model and its data as bytes, with no code in them."""
        from exmc_actors.model.codec import encode_model

        return encode_model(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Model":
        """Read what ``to_bytes`` wrote.

        Raises:
          ModelError: if the bytes are anything else; they are not trusted.
        """
        from exmc_actors.model.codec import decode_model

        return decode_model(data)

    def to_graphviz(self) -> str:
        """Return what depends on what, for Graphviz to draw: ``graphviz.Source(model.to_graphviz())``."""
        from exmc_actors.model.graph import graph_text

        return graph_text(self)

    def __repr__(self) -> str:
        return "\n".join(map(str, self.sites))


def _with_value(site: Site, arrays: Mapping[str, Any]) -> Site:
    if not isinstance(site, Data | Observation | Measurement) or site.name not in arrays:
        return site
    old, new = site.value.array, frozen_array(arrays[site.name], site.name)
    if old.dtype.kind == "f" and new.dtype.kind == "i":
        new = frozen_array(new.astype(float), site.name)
    if new.shape != old.shape or new.dtype != old.dtype:
        raise ModelError(
            f"{site.name} must keep its shape {old.shape} and dtype {old.dtype}, "
            f"got shape {new.shape} and dtype {new.dtype}: build the model again for other shapes."
        )
    return replace(site, value=Constant(new))
