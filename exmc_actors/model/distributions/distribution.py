"""State what a distribution is: parameters, a support, and a log density in two parts.

A leaf is data: its fields are its parameters, given as expressions, names, numbers or arrays.  The
mathematics assumes that they have been replaced by arrays; it is traced by JAX and computes in the
precision of its caller.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np

from exmc_actors.errors import ModelError
from exmc_actors.model.arrays import entry_text, first_where
from exmc_actors.model.expression import Constant, Literal, as_expression
from exmc_actors.model.supports import Real, Support
from exmc_actors.model.text import call_text


@dataclass(frozen=True, eq=False, repr=False)
class Distribution:
    """The contract.  A leaf must provide ``support``, ``log_kernel`` and ``log_normaliser``.

    The log density is ``log_kernel(x) - log_normaliser()``.  The first is computed for every entry, the
    second once for each set of parameters, so that ten thousand observations of one scale cost one logarithm.
    """

    parameter_supports: ClassVar[Mapping[str, Support]] = {}
    """What a parameter may be, where that is not every finite number."""
    is_location_scale: ClassVar[bool] = False
    """Whether (x - mu) / sigma has a distribution that depends on neither."""

    def __post_init__(self) -> None:
        """Refuse parameters that are known and impossible.

        Raises:
          ModelError: naming the parameter, its value and what is accepted.
        """
        for name, value in self.parameters.items():
            known = known_value(value)
            if known is not None:
                self._check_parameter(name, known)

    def _check_parameter(self, name: str, value: np.ndarray) -> None:
        support = self.parameter_supports.get(name, Real())
        index = first_where(~np.asarray(support.contains(value)))
        if index is not None:
            where = f"{entry_text(index)} of {name}" if index else name
            raise ModelError(
                f"{type(self).__name__}: {where} must be {support}, got {value[index].item()!r}."
            )

    @property
    def parameters(self) -> dict[str, Any]:
        """The fields, by name, in order."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def with_parameters(self, **changed: Any) -> Self:
        """Return the same distribution with some parameters replaced."""
        return replace(self, **changed)

    @property
    def support(self) -> Support:
        """Where the probability lies; may depend on the parameters."""
        raise NotImplementedError

    def log_kernel(self, x: Any) -> Any:
        """Return the part of the log density that depends on ``x``, which must lie in the support."""
        raise NotImplementedError

    def log_kernel_on_line(self, z: Any) -> Any | None:
        """Return the log kernel at the point whose logarithm or log odds is ``z``, or None.

        Worth having where ``z`` says more than the point: a positive variable of little shape parameter
        lies where ``exp(z)`` is rounded to zero, and one in the unit interval where the logistic function
        is rounded to one; there ``log_kernel`` is infinite.
        """
        return None

    def log_normaliser(self) -> Any:
        """Return what is subtracted from the log kernel, in the shape of the parameters."""
        raise NotImplementedError

    def log_prob(self, x: Any) -> jax.Array:
        """Return the log density of each entry: -inf outside the support, where its gradient is zero."""
        inside, safe = self.split(x)
        value = self.log_kernel(safe) - self.log_normaliser()
        return jnp.asarray(value) if inside is None else jnp.where(inside, value, -jnp.inf)

    def split(self, x: Any) -> tuple[Any, Any]:
        """Return which entries lie inside (None for all), and ``x`` with the others moved inside.

        A mask on the result alone would leave NaN in the gradient, since NaN times zero is NaN.
        """
        support = self.support
        if support.whole_line:
            return None, x
        inside = support.contains(x)
        return inside, jnp.where(inside, x, support.inner_point())

    def mean(self) -> Any:
        """Return the mean; NaN where it is undefined.

        Raises:
          ModelError: if the distribution is improper.
        """
        raise NotImplementedError

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw an array of independent values; the parameters must broadcast to ``shape``.

        Raises:
          ModelError: if the distribution is improper.
        """
        raise NotImplementedError

    def __repr__(self) -> str:
        return call_text(type(self).__name__, self.parameters.values())


def known_value(value: Any) -> np.ndarray | None:
    """Return a parameter as an array where it is a number or an array, None where it is computed."""
    if isinstance(value, jax.Array):
        return None
    expression = as_expression(value)
    if isinstance(expression, Literal):
        return np.asarray(expression.value, dtype=float)
    return expression.array if isinstance(expression, Constant) else None
