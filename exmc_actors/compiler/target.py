"""State what can be sampled: the face that a compiled model and a plain log density share."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

import jax
import numpy as np

from exmc_actors.compiler.layout import Layout

Traced: TypeAlias = Callable[[jax.Array, Any], jax.Array]
"""A pure function of a flat vector and the arguments; it holds no data."""


class Target(Protocol):
    """A log density of one flat vector, and how its draws are shown.

    The two functions ending in ``_at`` are for tracing by JAX.  They depend on data through ``arguments``
    only, so that targets of one key may share what was compiled.
    """

    @property
    def dim(self) -> int:
        """The length of the flat vector."""

    @property
    def names(self) -> tuple[str, ...]:
        """The free variables, in order."""

    @property
    def key(self) -> str:
        """What decides the compiled program: targets of one key differ in their data only."""

    @property
    def layout(self) -> Layout:
        """Where each free variable lies in the flat vector."""

    @property
    def values_layout(self) -> Layout:
        """Where each reported value lies in what ``values_at`` returns."""

    @property
    def arguments(self) -> tuple[np.ndarray, ...]:
        """The data, in the order that the functions expect."""

    @property
    def init(self) -> np.ndarray | None:
        """Around which point chains start unless told otherwise; None for random points."""

    @property
    def jitter(self) -> float:
        """How far from ``init`` a chain may start, in each direction."""

    @property
    def observed_data(self) -> Mapping[str, np.ndarray]:
        """The observations, by name."""

    @property
    def constant_data(self) -> Mapping[str, np.ndarray]:
        """The named inputs, by name."""

    @property
    def dims(self) -> Mapping[str, tuple[str, ...]]:
        """The names of axes, where they have names."""

    @property
    def coords(self) -> Mapping[str, tuple[Any, ...]]:
        """The labels along named axes."""

    @property
    def log_density_at(self) -> Traced:
        """The log density, a scalar."""

    @property
    def values_at(self) -> Traced:
        """The reported values in one vector."""

    def constrain(self, flat: Any) -> dict[str, np.ndarray]:
        """Return the reported values at a flat vector."""

    def unconstrain(self, values: Mapping[str, Any], around: Any = None) -> np.ndarray:
        """Return the flat vector with the given values of free variables, and the others as in ``around``."""

    def terms(self, flat: Any) -> dict[str, float]:
        """Return what each named part adds to the log density."""
