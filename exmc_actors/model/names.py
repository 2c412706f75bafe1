"""Check names, and find the one that was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from exmc_actors.errors import ModelError

_MOST_LISTED = 20


def check_name(name: Any) -> str:
    """Return ``name`` if it can name a part of a model.

    Raises:
      ModelError: if it is not a non-empty string of printable characters.
    """
    if not isinstance(name, str) or not name or not name.isprintable():
        raise ModelError(f"a name must be a non-empty string of printable characters, got {name!r}.")
    return name


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Return the sentence about a name that is not known, with the nearest one that is."""
    names = list(known)
    near = get_close_matches(name, names, n=1)
    meant = f": did you mean {near[0]!r}?" if near else "."
    listed = ", ".join(names[:_MOST_LISTED]) + (", ..." if len(names) > _MOST_LISTED else "")
    return f"unknown {what} {name!r}{meant} Known: {listed or 'none yet'}"
