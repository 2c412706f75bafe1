"""Say whether an argument is an integer or a number, whatever library made it; booleans are neither."""

from numbers import Integral, Real
from typing import Any, TypeGuard

from exmc_actors.errors import SettingsError


def is_integer(value: Any) -> TypeGuard[int]:
    """Return whether a value is an integer."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: Any) -> TypeGuard[float]:
    """Return whether a value is a real number; NaN and the infinities are."""
    return isinstance(value, Real) and not isinstance(value, bool)


def integer(name: str, value: Any, least: int, most: int | None = None, *, example: int | None = None) -> int:
    """Return an argument that has to be an integer.

    Args:
      name: of the argument.
      value: as given.
      least: it may be.
      most: it may be; None for no limit.
      example: what the sentence proposes; None proposes the least.

    Raises:
      SettingsError: it is none, or out of range.
    """
    if is_integer(value) and least <= value and (most is None or value <= most):
        return int(value)
    span = f"of at least {least}" if most is None else f"from {least} to {most}"
    example = least if example is None else example
    raise SettingsError(f"{name} must be an integer {span}, got {value!r}: write, say, {name}={example}.")
