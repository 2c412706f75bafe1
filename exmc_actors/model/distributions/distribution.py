"""State what a distribution is: parameters, a support, and a log density in two parts.

A leaf is data: its fields are its parameters, given as expressions, names, numbers or arrays.  The
mathematics assumes that they have been replaced by arrays; it is traced by JAX and computes in the
precision of its caller.

Its value is an array of independent events.  An event is one number for most distributions, and the last
``event_ndim`` axes together for those of vectors and matrices; the axes before them are its batch.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np

from exmc_actors.errors import ModelError
from exmc_actors.model.arrays import entry_text, first_where
from exmc_actors.model.expression import Constant, Literal, unchecked_expression
from exmc_actors.model.shapes import Shape, broadcast, drop_last
from exmc_actors.model.supports import Real, Support
from exmc_actors.model.text import call_text, value_text


@dataclass(frozen=True, eq=False, repr=False)
class Distribution:
    """The contract.  A leaf must provide ``support``, ``log_kernel`` and ``log_normaliser``.

    The log density is ``log_kernel(x) - log_normaliser()``.  The first is computed for every event, the
    second once for each set of parameters, so that ten thousand observations of one scale cost one logarithm.
    """

    is_discrete: ClassVar[bool] = False
    """Whether its values are whole numbers, which can be observed but not sampled by gradients."""

    only_observed: ClassVar[bool] = False
    """Whether it says how values are recorded, and so cannot be that of a variable."""
    parameter_supports: ClassVar[Mapping[str, Support]] = {}
    """What a parameter may be, where that is not every finite number."""
    watched_parameters: ClassVar[tuple[str, ...]] = ()
    """Those whose impossible values the formulas take for possible ones, so that each evaluation looks."""
    parameter_ndims: ClassVar[Mapping[str, int]] = {}
    """How many of a parameter's last axes belong to one event, where not none."""
    part_field: ClassVar[str | None] = None
    """The field that holds the distributions that this one is made of."""
    has_many_parts: ClassVar[bool] = False
    """Whether that field holds several."""
    is_location_scale: ClassVar[bool] = False
    """Whether (x - mu) / sigma has a distribution that depends on neither."""

    def __post_init__(self) -> None:
        """Refuse parameters that are not given, or known and impossible.

        Raises:
          ModelError: naming the parameter, its value and what is accepted.
        """
        for field in fields(self):
            if getattr(self, field.name) is None and field.default is MISSING:
                raise ModelError(
                    f"{type(self).__name__}: {field.name} is None: "
                    "give a number, an array, or what is computed from variables."
                )
        for name, value in self.parameters.items():
            known = known_value(value)
            if known is not None:
                self.check_parameter(name, known)

    def check_parameter(self, name: str, value: np.ndarray) -> None:
        """Refuse a value that a parameter cannot have.

        Raises:
          ModelError: naming the parameter, its value and what is accepted.
        """
        support = self.parameter_supports.get(name, Real())
        drop_last(f"{type(self).__name__}'s {name}", value.shape, support.event_ndim)
        index = first_where(~np.asarray(support.contains(value)))
        if index is not None:
            where = f"{entry_text(index)} of {name}" if index else name
            raise ModelError(
                f"{type(self).__name__}: {where} must be {support}, got {value[index].tolist()!r}."
            )

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters that were given, by name, in order."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in given.items() if name != self.part_field and value is not None}

    @property
    def parts(self) -> tuple["Distribution", ...]:
        """The distributions that this one is made of."""
        if self.part_field is None:
            return ()
        parts = getattr(self, self.part_field)
        return tuple(parts) if self.has_many_parts else (parts,)

    def rebuilt(self, parameters: Mapping[str, Any], parts: Sequence["Distribution"]) -> Self:
        """Return the same distribution with other parameters and parts."""
        return self.assembled(parameters, parts)

    @classmethod
    def assembled(cls, parameters: Mapping[str, Any], parts: Sequence["Distribution"]) -> Self:
        """Return the distribution of the given parameters and parts."""
        if cls.part_field is None:
            return cls(**parameters)
        return cls(**parameters, **{cls.part_field: tuple(parts) if cls.has_many_parts else parts[0]})

    @property
    def event_ndim(self) -> int:
        """How many of the last axes of a value belong to one event."""
        return 0

    @property
    def event_is_free(self) -> bool:
        """Whether an event may have any number of entries, whatever the parameters are."""
        return False

    def value_shape(self, shapes: Mapping[str, Shape], parts: Sequence[Shape]) -> Shape:
        """Return the smallest shape that a value can have.

        Args:
          shapes: of the parameters, by name.
          parts: the smallest shapes of values of the parts.

        Raises:
          ModelError: if they do not fit together.
        """
        return self.batch_shape(shapes)

    def batch_shape(self, shapes: Mapping[str, Shape]) -> Shape:
        """Return the shape of the parameters together, without the axes that belong to one event."""
        return broadcast(
            *(drop_last(name, shape, self.parameter_ndims.get(name, 0)) for name, shape in shapes.items())
        )

    def with_parameters(self, **changed: Any) -> Self:
        """Return the same distribution with some parameters replaced."""
        return replace(self, **changed)

    @property
    def support(self) -> Support:
        """Where the probability lies; may depend on the parameters."""
        raise NotImplementedError

    def support_of_shapes(self, shapes: Mapping[str, Shape]) -> Support:
        """Return the support, as far as the shapes of the parameters say more than their expressions."""
        return self.support

    def log_kernel(self, x: Any) -> Any:
        """Return the part of the log density that depends on ``x``, which must lie in the support.

        One number for each event.
        """
        raise NotImplementedError

    def log_kernel_on_line(self, z: Any) -> Any | None:
        """Return the log kernel at the point that ``z`` leads to, or None.

        ``z`` is the logarithm of its distance from the lower end of the support; between two ends, its log
        odds; for probabilities, their logarithms.  Worth having where ``z`` says more than the point: a
        positive variable of little shape parameter lies where ``exp(z)`` is rounded to zero, and one in the
        unit interval where the logistic function is rounded to one; there ``log_kernel`` is infinite.
        """
        return None

    def log_normaliser(self) -> Any:
        """Return what is subtracted from the log kernel, in the shape of the parameters."""
        raise NotImplementedError

    def possible_normaliser(self) -> Any:
        """Return the log normaliser, infinite where a parameter that is computed is an impossible one."""
        value = self.log_normaliser()
        for name in self.watched_parameters:
            parameter, support = getattr(self, name), self.parameter_supports[name]
            if known_value(parameter) is None:
                entries = self.parameter_ndims.get(name, 0) - support.event_ndim
                inside = support.contains(parameter).all(tuple(range(-entries, 0)))
                value = jnp.where(inside, value, jnp.inf)
        return value

    def log_prob(self, x: Any) -> jax.Array:
        """Return the log density of each event: -inf outside the support.

        Where events are numbers, its gradient is zero there.
        """
        inside, safe = self.split(x)
        value = self.log_kernel(safe) - self.possible_normaliser()
        return jnp.asarray(value) if inside is None else jnp.where(inside, value, -jnp.inf)

    def split(self, x: Any) -> tuple[Any, Any]:
        """Return which entries lie inside (None for all), and ``x`` with the others moved inside.

        A mask on the result alone would leave NaN in the gradient, since NaN times zero is NaN.
        """
        support = self.support
        if support.whole_line:
            return None, x
        inside = support.contains(x)
        return inside, x if support.event_ndim else jnp.where(inside, x, support.inner_point())

    def mean(self) -> Any:
        """Return the mean; NaN where it is undefined.

        Raises:
          ModelError: if the distribution is improper.
        """
        raise NotImplementedError

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw an array of independent events, of ``shape`` in all; the parameters must stretch to it.

        Raises:
          ModelError: if the distribution is improper.
        """
        raise NotImplementedError

    def __repr__(self) -> str:
        if self.part_field is None or self.has_many_parts:
            return call_text(type(self).__name__, (*self.parameters.values(), *self.parts))
        given = (f", {name}={value_text(value)}" for name, value in self.parameters.items())
        return f"{type(self).__name__}({self.parts[0]!r}{''.join(given)})"


def all_parts(distribution: Distribution) -> Iterator[Distribution]:
    """Yield a distribution and all that it is made of, from the outside in."""
    yield distribution
    for part in distribution.parts:
        yield from all_parts(part)


def map_parameters(distribution: Distribution, change: Callable[[Any], Any]) -> Distribution:
    """Return the distribution with every parameter changed, those of its parts included."""
    return distribution.rebuilt(
        {name: change(value) for name, value in distribution.parameters.items()},
        [map_parameters(part, change) for part in distribution.parts],
    )


def known_value(value: Any) -> np.ndarray | None:
    """Return a parameter as an array where it is a number or an array, None where it is computed."""
    if isinstance(value, jax.Array):
        return None
    expression = unchecked_expression(value)
    if isinstance(expression, Literal):
        return np.asarray(expression.value, dtype=float)
    return expression.array if isinstance(expression, Constant) else None
