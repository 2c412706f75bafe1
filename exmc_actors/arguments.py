"""Say whether an argument is an integer, a number, a boolean or names, whatever library made it."""

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, TypeGuard

from exmc_actors.errors import SettingsError


def is_integer(value: Any) -> TypeGuard[int]:
    """Return whether a value is an integer; a boolean is none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: Any) -> TypeGuard[float]:
    """Return whether a value is a real number that fits a float; infinities and NaN do, a boolean is none."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        float(value)
    except OverflowError:  # an integer or a fraction beyond double precision
        return False
    return True


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


def names(name: str, value: Any, *, example: str = "mu") -> tuple[str, ...] | None:
    """Return an argument that has to be a name or several; None where all are meant.

    Args:
      name: of the argument.
      value: as given: one string, or anything that yields strings.
      example: what the sentence proposes.

    Raises:
      SettingsError: it is neither.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return (str(value),)
    given = entries(value)
    if given is None or not all(isinstance(one, str) for one in given):
        raise SettingsError(
            f"{name} must be a name, a list of names, or None, got {value!r}: write, say, "
            f"{name}=[{example!r}]."
        )
    return tuple(map(str, given))


def entries(value: Any) -> tuple[Any, ...] | None:
    """Return what a value yields; None where it is one by itself."""
    if not isinstance(value, Iterable):
        return None
    try:
        return tuple(value)
    except TypeError:  # an array without axes is one only by its methods
        return None


def boolean(name: str, value: Any) -> bool:
    """Return an argument that has to be True or False.

    Args:
      name: of the argument.
      value: as given.

    Raises:
      SettingsError: it is something else.
    """
    kind = type(value)  # by its name, since NumPy's is no subclass of Python's, and NumPy is not loaded here
    if (kind.__module__, kind.__name__) in (("builtins", "bool"), ("numpy", "bool")):
        return bool(value)
    raise SettingsError(f"{name} must be True or False, got {value!r}: write, say, {name}=True.")
