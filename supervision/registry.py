"""Find processes by name; names are given back by the processes themselves when they end."""

from collections.abc import Hashable
from typing import TYPE_CHECKING, final

from supervision.errors import AlreadyStarted
from supervision.reference import ProcessRef, Ref

if TYPE_CHECKING:
    from supervision.process import Process


class Registry:
    """A set of names, each held by at most one process; there is no global one."""

    def __init__(self) -> None:
        """Start without names."""
        self._holders: dict[Hashable, ProcessRef] = {}

    def via(self, key: Hashable) -> "Via":
        """Return the name ``key``: to be given to a ChildSpec, and to be used as a ref."""
        return Via(self, key)

    def whereis(self, key: Hashable) -> ProcessRef | None:
        """Return the process that holds the name now; None if nobody does."""
        return self._holders.get(key)

    def register(self, key: Hashable, holder: ProcessRef) -> None:
        """Take the name for ``holder``.

        Raises:
          AlreadyStarted: when a process holds it.
        """
        present = self._holders.setdefault(key, holder)
        if present is not holder:
            raise AlreadyStarted(f"the name {key!r} is held by {present}; names are unique within a registry")

    def release(self, key: Hashable, holder: ProcessRef) -> None:
        """Give the name back, if ``holder`` has it."""
        if self._holders.get(key) is holder:
            del self._holders[key]


@final
class Via(Ref):
    """A name as an address: it means whoever holds the name when it is used."""

    def __init__(self, registry: Registry, key: Hashable) -> None:
        """Mean ``key`` in ``registry``."""
        self.registry = registry
        self.key = key

    def resolve(self) -> "Process | None":
        """Return the process that holds the name."""
        holder = self.registry.whereis(self.key)
        return None if holder is None else holder.resolve()

    def register(self, holder: ProcessRef) -> None:
        """Take the name for ``holder``, or raise AlreadyStarted."""
        self.registry.register(self.key, holder)

    def release(self, holder: ProcessRef) -> None:
        """Give the name back, if ``holder`` has it."""
        self.registry.release(self.key, holder)

    def __str__(self) -> str:
        return f"name {self.key!r}"

    def __repr__(self) -> str:
        return f"<{self}>"
