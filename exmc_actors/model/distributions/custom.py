"""Distributions of the user's own, as a log density in JAX."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Self, final
from weakref import WeakKeyDictionary

import jax
import jax.numpy as jnp

from exmc_actors.errors import ModelError
from exmc_actors.model.array_supports import Increasing, Simplex
from exmc_actors.model.distributions.custom_entries import LogDensityOfEntries, SamplerOfEntries
from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.shapes import Shape
from exmc_actors.model.supports import Positive, Real, Support, UnitInterval

_SUPPORTS: Mapping[str, Support] = {
    "real": Real(),
    "positive": Positive(),
    "unit_interval": UnitInterval(),
    "simplex": Simplex(),
    "increasing": Increasing(),
}

_numbers = count()
_number_of: WeakKeyDictionary[Any, int] = WeakKeyDictionary()


@final
@dataclass(frozen=True, eq=False, repr=False)
class Custom(Distribution):
    """What ``log_density(x, *arguments)`` says, a function written in ``jax.numpy``.

    Args:
      log_density: takes the value and the arguments as JAX arrays in float64; returns a log density for each
        event.  Normalised, if ``loo`` or ``compare`` are to mean anything.
      *arguments: handles, names, numbers or arrays.  Data belongs here and not into the function: what the
        function holds itself is compiled into the program, and new values of it compile again.
      support: where it lies: "real", "positive", "unit_interval", "simplex" or "increasing".
      event_ndim: how many of the last axes belong to one event: 1 where the entries of a vector depend on
        each other.
      sampler: takes a JAX key, a shape and the arguments, and returns draws; predictions need it.
      name: for messages; the function's own by default.

    Such a model has no bytes, for code does not travel: it lives in the process that made it.
    """

    log_density: Callable[..., Any]
    arguments: tuple[Any, ...]
    support_word: str
    events: int
    sampler: Callable[..., Any] | None
    name: str

    def __init__(
        self,
        log_density: Callable[..., Any],
        *arguments: Any,
        support: str = "real",
        event_ndim: int | None = None,
        sampler: Callable[..., Any] | None = None,
        name: str | None = None,
    ) -> None:
        """Take the function and what it depends on."""
        if not callable(log_density):
            raise ModelError(
                f"Custom: a function log_density(x, *arguments) is expected, got {log_density!r}: "
                "write Custom(lambda x, mu: -0.5 * (x - mu) ** 2, mu), say."
            )
        if support not in _SUPPORTS:
            raise ModelError(f"Custom: support must be one of {', '.join(_SUPPORTS)}, got {support!r}.")
        if sampler is not None and not callable(sampler):
            raise ModelError(
                f"Custom: sampler must be a function of a key, a shape and the arguments, got {sampler!r}."
            )
        least = _SUPPORTS[support].event_ndim
        events = least if event_ndim is None else event_ndim
        if type(events) is not int or events < least:
            raise ModelError(
                f"Custom: event_ndim must be a whole number, {least} or more for support {support!r}, "
                f"got {event_ndim!r}."
            )
        for field, value in {
            "log_density": log_density,
            "arguments": arguments,
            "support_word": support,
            "events": events,
            "sampler": sampler,
            "name": name or getattr(log_density, "__name__", type(log_density).__name__),
        }.items():
            object.__setattr__(self, field, value)

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments, by position."""
        return {f"argument {position}": value for position, value in enumerate(self.arguments)}

    def rebuilt(self, parameters: Mapping[str, Any], parts: Sequence[Distribution]) -> Self:
        """Return the same function of other arguments."""
        return type(self)(
            self.log_density,
            *parameters.values(),
            support=self.support_word,
            event_ndim=self.events,
            sampler=self.sampler,
            name=self.name,
        )

    def of_entries(self, shape: Shape, places: tuple[int, ...]) -> Self:
        """Return the distribution of some entries, each an event, of a flattened value of ``shape``."""
        other = self.support.inner_point()
        of_sampler = None if self.sampler is None else SamplerOfEntries(self.sampler, shape, places)
        return type(self)(
            LogDensityOfEntries(self.log_density, shape, places, other),
            *self.arguments,
            support=self.support_word,
            event_ndim=self.events,
            sampler=of_sampler,
            name=self.name,
        )

    @property
    def identity(self) -> str:
        """What tells the functions from all others in this process."""
        functions = [function for function in (self.log_density, self.sampler) if function is not None]
        return f"{self.name}, {self.support_word}, {self.events}, {[_number(each) for each in functions]}"

    @property
    def event_is_free(self) -> bool:
        """Say yes."""
        return True

    @property
    def event_ndim(self) -> int:
        """As it was said."""
        return self.events

    def value_shape(self, shapes: Mapping[str, Shape], parts: Sequence[Shape]) -> Shape:
        """Return one entry along each axis: what the arguments are for is the function's own affair."""
        return (1,) * self.event_ndim

    @property
    def support(self) -> Support:
        """As it was said."""
        return _SUPPORTS[self.support_word]

    def log_kernel(self, x: Any) -> Any:
        """Return what the function returns."""
        value = jnp.asarray(self.log_density(jnp.asarray(x), *map(jnp.asarray, self.arguments)))
        events = jnp.shape(x)[: jnp.ndim(x) - self.events]
        if value.shape != events:
            raise ModelError(
                f"Custom {self.name!r} returned shape {value.shape} for events of shape {events}: "
                "it must return a log density for each. Say event_ndim=1 if the entries of a vector belong "
                "together, or add a term that belongs to no variable by b.potential(name, expression)."
            )
        return value

    def log_normaliser(self) -> Any:
        """Return zero: the function is whole."""
        return 0.0

    def mean(self) -> Any:
        """Return NaN: it is not known."""
        return jnp.nan

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Return what the sampler returns."""
        if self.sampler is None:
            raise ModelError(
                f"Custom {self.name!r} has no sampler, so it cannot be predicted: "
                "write Custom(..., sampler=lambda key, shape, *arguments: ...)."
            )
        return jnp.broadcast_to(self.sampler(key, shape, *map(jnp.asarray, self.arguments)), shape)

    def __repr__(self) -> str:
        from exmc_actors.model.text import call_text

        return call_text(f"Custom {self.name}", self.arguments)


def _number(function: Any) -> int:
    """Return a number that no other function of this process has had; another each time if it must be."""
    try:
        return _number_of.setdefault(function, next(_numbers))
    except TypeError:  # neither hashable nor known to the garbage collector: it cannot be recognised
        return next(_numbers)
