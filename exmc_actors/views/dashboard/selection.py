"""Read from a query what a page, or a reader of the feed, wants to see; refuse what it cannot mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import parse_qs

from exmc_actors.views.dashboard.quantities import Quantities
from exmc_actors.wire import MOST_QUERY

MOST_SHOWN = 8
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


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader of the feed asks for."""

    run: str | None = None
    """Of which run it has read before; None for any."""
    number: int | None = None
    """Of the first message; None for the next one that is committed."""
    capacity: int = 1 << 62
    """How many unread messages it may have; the default is any number."""
    chains: tuple[int, ...] | None = None
    var_names: tuple[str, ...] | None = None
    thin: int = 1


_NUMBERS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "page": (0, 10**6),
        "size": (1, 100),
        "from": (0, 1 << 62),
        "capacity": (1, 1 << 62),
        "chains": (0, 10**6),
        "thin": (1, 1 << 62),
    }
)


def selection(query: bytes) -> Selection:
    """Return what a query asks for: ``show=mu&show=tau&search=theta&order=rhat&page=0&size=20``.

    Raises:
      Unclear: it is too long, or a part of it means nothing.
    """
    fields = _fields(query, ("show", "search", "order", "page", "size"))
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


def asked(query: bytes) -> Asked:
    """Return what a query of the feed asks for: ``from=0&chains=0&chains=2&var_names=mu&thin=10``.

    Raises:
      Unclear: it is too long, or a part of it means nothing.
    """
    fields = _fields(query, ("run", "from", "capacity", "chains", "var_names", "thin"))
    chains, names = fields.get("chains"), fields.get("var_names")
    return Asked(
        run=_last(fields, "run", "") or None,
        number=_number(fields, "from", 0) if "from" in fields else None,
        capacity=_number(fields, "capacity", 1 << 62),
        chains=None if chains is None else tuple(_in_range("chains", one) for one in chains if one),
        var_names=None if names is None else tuple(filter(None, names)),
        thin=_number(fields, "thin", 1),
    )


def _fields(query: bytes, known: tuple[str, ...]) -> Mapping[str, Sequence[str]]:
    if len(query) > MOST_QUERY:
        raise Unclear(f"the query is longer than {MOST_QUERY} characters: name fewer quantities.")
    try:
        fields = parse_qs(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise Unclear("the query cannot be read: write, say, show=mu&page=0.") from error
    if set(fields) - set(known):
        raise Unclear(f"a query has {', '.join(known[:-1])} and {known[-1]} here, and nothing else.")
    return fields


def _last(fields: Mapping[str, Sequence[str]], name: str, default: str) -> str:
    return fields[name][-1] if name in fields else default


def _number(fields: Mapping[str, Sequence[str]], name: str, default: int) -> int:
    return _in_range(name, _last(fields, name, str(default)))


def _in_range(name: str, text: str) -> int:
    least, most = _NUMBERS[name]
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and least <= int(text) <= most):
        raise Unclear(f"{name} is an integer from {least} to {most}.")
    return int(text)
