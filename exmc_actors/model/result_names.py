"""Refuse names that a result could not hold, before anything is sampled; it lays out no result itself.

A result is xarray's: groups of values along named axes, where a value and an axis of one group cannot share
a name.  Found out when the draws are laid out, a collision would cost the whole run.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from exmc_actors.errors import ModelError
from exmc_actors.model.shapes import Shape
from exmc_actors.model.sites import Data, Measurement, Observation, Potential, Site

AXES_OF_DRAWS = ("chain", "draw")
"""The axes that every draw has before its own."""
BOTH_AXES = "sample"
"""What ArviZ calls the two taken as one."""


@dataclass
class _Group:
    values: set[str] = field(default_factory=set)
    axes: dict[str, int] = field(default_factory=dict)
    arrays: set[str] = field(default_factory=set)
    """Of the values, those that have axes."""
    bases: set[str] = field(default_factory=set)
    """Of the values whose names read like those of elements, what stands before a bracket."""

    def add(self, name: str, axes: dict[str, int]) -> None:
        for axis, length in axes.items():
            if self.axes.get(axis, length) != length:
                raise ModelError(f"there is an axis {axis!r} of {self.axes[axis]} entries: choose new names.")
        shared = ({name} | self.values) & (axes.keys() | self.axes.keys())
        if shared:
            raise ModelError(
                f"{shared.pop()!r} cannot name a value and an axis, since results hold both by name: "
                "rename one of them."
            )
        bases = {name[:at] for at, letter in enumerate(name) if letter == "[" and name.endswith("]")}
        wholes = bases & self.arrays | ({name} & self.bases if axes else set())
        if wholes:
            whole = wholes.pop()
            raise ModelError(
                f"there cannot be an array {whole!r} and a value '{whole}[...]', since "
                "results call the elements of an array so: rename one of them."
            )
        self.bases |= bases
        self.values.add(name)
        self.axes |= axes
        if axes:
            self.arrays.add(name)


@dataclass
class ResultNames:
    """The names that a result would hold so far."""

    _groups: defaultdict[str, _Group] = field(default_factory=lambda: defaultdict(_Group))

    def add(self, site: Site, shape: Shape) -> None:
        """Add a site's name and its axes.

        Raises:
          ModelError: if a result cannot hold them beside those before.
        """
        if isinstance(site, Potential):
            return
        if site.name in (*AXES_OF_DRAWS, BOTH_AXES):
            raise ModelError(f"{site.name!r} names an axis of the draws in results: choose another name.")
        for dim in site.dims or ():
            if dim in AXES_OF_DRAWS:
                raise ModelError(f"dim {dim!r} names an axis of the draws in results: choose another name.")
        dims = site.dims or tuple(f"{site.name}_dim_{axis}" for axis in range(len(shape)))
        for name in (site.name, *dims):
            if "/" in name:
                raise ModelError(f"{name!r} holds a '/', which results read as a path: choose another name.")
        self._groups[_group_of(site)].add(site.name, dict(zip(dims, shape, strict=True)))


def _group_of(site: Site) -> str:
    if isinstance(site, Data):
        return "constant_data"
    return "observed_data" if isinstance(site, Observation | Measurement) else "posterior"
