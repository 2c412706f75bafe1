"""Run a number of copies of one child, and send each message to the copy that its key belongs to."""

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, final

from supervision.child import ChildSpec
from supervision.errors import SpecError
from supervision.plan import supervisor
from supervision.reference import Ref
from supervision.registry import Registry

if TYPE_CHECKING:
    from supervision.process import Process


def by_hash(key: Hashable, count: int) -> int:
    """Return which of ``count`` copies a key belongs to.

    Whole numbers are spread one after another; the hash of a string differs from one run of Python to the
    next.
    """
    return hash(key) % count


@final
class Partitions:
    """The addresses of a number of copies; they keep their meaning when copies are restarted.

    ``by_user = Partitions(8)``, then ``by_user.supervisor("users", ChildSpec("users", Users))`` as a child
    of a supervisor, and ``by_user.via(user).call(...)``.
    """

    def __init__(self, count: int, *, route: Callable[[Hashable, int], int] = by_hash) -> None:
        """Prepare the addresses; ``supervisor`` describes who is to be found there.

        Args:
          count: how many copies there are.
          route: which one a key belongs to, from 0 to ``count`` - 1.

        Raises:
          SpecError: when the count is no whole number, 1 or more.
        """
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise SpecError(f"The number of partitions must be a whole number, 1 or more, got {count!r}.")
        self._names = Registry()
        self._count = count
        self._route = route

    def __len__(self) -> int:
        """Return the number of copies."""
        return self._count

    def via(self, key: Hashable) -> "Partition":
        """Return the address of the copy that a key belongs to."""
        return Partition(self, key)

    def refs(self) -> tuple[Ref, ...]:
        """Return the addresses of all copies, in order."""
        return tuple(self._names.via(number) for number in range(self._count))

    def copy_for(self, key: Hashable) -> Ref:
        """Return the address of the copy that a key belongs to by now.

        Raises:
          SpecError: when the route leads nowhere.
        """
        number = self._route(key, self._count)
        if number not in range(self._count):
            raise SpecError(
                f"The route gave {number!r} for the key {key!r}; it must give a whole number from 0 to "
                f"{self._count - 1}."
            )
        return self._names.via(number)

    def supervisor(
        self,
        id: str,
        template: ChildSpec,
        *,
        vary: Callable[[ChildSpec, int], ChildSpec] | None = None,
        **options: Any,
    ) -> ChildSpec:
        """Describe a supervisor of the copies, as a child of another supervisor.

        Args:
          id: unique within the parent.
          template: the child of which there will be copies; their ids are "0", "1", ...
          vary: makes a copy of its own kind, given the template and the number of the copy; for other
            arguments, say.
          options: as for ``supervisor``: strategy, max_restarts, restart, and so on.

        Raises:
          SpecError: when the template has a name, which only one copy could have.
        """
        if template.name is not None:
            raise SpecError(f"The template {template.id!r} has a name, but only one copy could have it.")
        specs = []
        for number in range(self._count):
            copy = template if vary is None else vary(template, number)
            specs.append(replace(copy, id=str(number), name=self._names.via(number)))
        return supervisor(id, specs, **options)


@final
class Partition(Ref):
    """A key as an address: it means whichever copy the key belongs to."""

    def __init__(self, partitions: Partitions, key: Hashable) -> None:
        """Mean the copy for ``key``; ``Partitions.via`` makes these."""
        self.partitions = partitions
        self.key = key

    def resolve(self) -> "Process | None":
        """Return the copy that runs now."""
        return self.partitions.copy_for(self.key).resolve()

    def __eq__(self, other: object) -> bool:
        """Whether the other one is the same key among the same partitions."""
        return isinstance(other, Partition) and self.partitions is other.partitions and self.key == other.key

    def __hash__(self) -> int:
        """Return the hash of the key."""
        return hash(self.key)

    def __str__(self) -> str:
        return f"partition of {self.key!r}"

    def __repr__(self) -> str:
        return f"<{self}>"
