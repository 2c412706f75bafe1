"""Read from a query what a page wants to see, and refuse what it cannot mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import parse_qs

from exmc_actors.views.dashboard.quantities import Quantities

MOST_SHOWN = 8
MOST_CHARACTERS = 4096
"""Of a query."""
ORDERS = ("declared", "name", "rhat", "ess")


class Unclear(Exception):
    """A query that means nothing; the message is the answer to it."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a page shows."""

    names: tuple[str, ...] | None = None
    """Quantities with traces; None for the first few."""
    search: str = ""
    """What the names in the table contain."""
    order: str = "declared"
    page: int = 0
    size: int = 20
    """Rows of the table."""

    def shown(self, quantities: Quantities | None) -> tuple[str, ...]:
        """Return the quantities with traces; what the run does not have is left out."""
        if quantities is None:
            return ()
        if self.names is None:
            return quantities.first
        return tuple(name for name in self.names if name in quantities.number_of)


_NUMBERS: Mapping[str, tuple[int, int]] = MappingProxyType({"page": (0, 10**6), "size": (1, 100)})


def selection(query: bytes) -> Selection:
    """Return what a query asks for: ``show=mu&show=tau&search=theta&order=rhat&page=0&size=20``.

    Raises:
      Unclear: it is too long, or a part of it means nothing.
    """
    if len(query) > MOST_CHARACTERS:
        raise Unclear(f"the query is longer than {MOST_CHARACTERS} characters: show fewer quantities.")
    try:
        fields = parse_qs(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=64)
    except ValueError as error:
        raise Unclear("the query cannot be read: write, say, show=mu&page=0.") from error
    unknown = set(fields) - {"show", "search", "order", *_NUMBERS}
    if unknown:
        raise Unclear("a query has show, search, order, page and size, and nothing else.")
    names = fields.get("show")
    if names is not None and len(names) > MOST_SHOWN:
        raise Unclear(f"at most {MOST_SHOWN} quantities can be shown at once.")
    order = _last(fields, "order", "declared")
    if order not in ORDERS:
        raise Unclear(f"order is one of {', '.join(ORDERS)}.")
    return Selection(
        names=None if names is None else tuple(dict.fromkeys(filter(None, names))),
        search=_last(fields, "search", ""),
        order=order,
        page=_number(fields, "page", 0),
        size=_number(fields, "size", 20),
    )


def _last(fields: Mapping[str, Sequence[str]], name: str, default: str) -> str:
    return fields[name][-1] if name in fields else default


def _number(fields: Mapping[str, Sequence[str]], name: str, default: int) -> int:
    least, most = _NUMBERS[name]
    text = _last(fields, name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 9 and least <= int(text) <= most):
        raise Unclear(f"{name} is an integer from {least} to {most}.")
    return int(text)
