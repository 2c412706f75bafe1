"""Find processes by key, one or many, each with a value; a process's entries go when it ends.

They are gone before anybody is told of the end: whoever hears of it finds the name free.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, final, get_args

from supervision.attempts import attempt
from supervision.child import one_of
from supervision.context import current
from supervision.errors import AlreadyStarted, MailboxFull, ProcessExited, SpecError
from supervision.exits import NoProc
from supervision.notices import EndWatch, tell
from supervision.reference import ProcessRef, Ref

if TYPE_CHECKING:
    from supervision.process import Process

Keys = Literal["unique", "duplicate"]
"""Whether a key is held by at most one process, or by any number."""


@dataclass(frozen=True, slots=True)
class Entry:
    """That a process is to be found under a key."""

    key: Hashable
    ref: ProcessRef
    value: Any = None
    """What the process said of itself when it registered."""


class _Group:
    """The entries under one key, by their holders, the oldest first."""

    __slots__ = ("_snapshot", "by_holder")

    def __init__(self) -> None:
        self.by_holder: dict[ProcessRef, Entry] = {}
        self._snapshot: tuple[Entry, ...] | None = None

    def put(self, entry: Entry) -> None:
        self.by_holder[entry.ref] = entry
        self._snapshot = None

    def take(self, holder: ProcessRef) -> Entry | None:
        self._snapshot = None
        return self.by_holder.pop(holder, None)

    def snapshot(self) -> tuple[Entry, ...]:
        """Return all; made when somebody looks, and once for all who look before the next change."""
        if self._snapshot is None:
            self._snapshot = tuple(self.by_holder.values())
        return self._snapshot


@dataclass(frozen=True, slots=True)
class Registered:
    """What a listener is told, in ``handle_info``, of a new entry."""

    registry: "Registry"
    entry: Entry


@dataclass(frozen=True, slots=True)
class Unregistered:
    """What a listener is told, in ``handle_info``, of an entry that is gone."""

    registry: "Registry"
    entry: Entry


@final
class Registry:
    """A set of keys and the processes to be found under them; there is no global one."""

    def __init__(self, keys: Keys = "unique", *, listeners: Iterable[Ref] = ()) -> None:
        """Start without entries.

        Args:
          keys: "unique", for names; or "duplicate", for groups.
          listeners: servers to be told of entries that come and go; one that has ended hears nothing.
        """
        one_of("keys of a registry", keys, get_args(Keys))
        self._is_unique = keys == "unique"
        self._listeners = tuple(listeners)
        self._groups: dict[Hashable, _Group] = {}
        self._held: dict[ProcessRef, dict[Hashable, None]] = {}
        self._watches: dict[ProcessRef, EndWatch] = {}

    def via(self, key: Hashable, value: Any = None) -> "Via":
        """Return the name ``key``: to be given to a ChildSpec, and to be used as a ref.

        Args:
          key: the name.
          value: for the entry of a child that is given this name.

        Raises:
          SpecError: when keys are not unique, for then a key is no address; or the key cannot be one.
        """
        self._refuse_duplicate("via")
        return Via(self, key, value)

    def whereis(self, key: Hashable) -> ProcessRef | None:
        """Return the process that holds the name now; None if nobody does."""
        self._refuse_duplicate("whereis")
        group = self._groups.get(key)
        return None if group is None else group.snapshot()[0].ref

    def lookup(self, key: Hashable) -> tuple[Entry, ...]:
        """Return the entries under a key, the oldest first."""
        group = self._groups.get(key)
        return () if group is None else group.snapshot()

    def keys(self, holder: Ref) -> tuple[Hashable, ...]:
        """Return the keys under which a process is to be found."""
        ref = _incarnation(holder)
        return tuple(self._held.get(ref, ())) if ref is not None else ()

    def entries(self) -> tuple[Entry, ...]:
        """Return all entries."""
        return tuple(entry for group in self._groups.values() for entry in group.snapshot())

    def __len__(self) -> int:
        """Return the number of entries."""
        return sum(len(group.by_holder) for group in self._groups.values())

    def dispatch(self, key: Hashable, message: Any) -> int:
        """Cast a message to every process under a key; return how many there are.

        Raises:
          MailboxFull: when one of them had no room and refuses; all others have been told then.
        """
        refusal: MailboxFull | None = None
        entries = self.lookup(key)
        for entry in entries:
            try:
                entry.ref.cast(message)
            except MailboxFull as error:
                refusal = refusal or error
        if refusal is not None:
            raise refusal
        return len(entries)

    def register(self, key: Hashable, value: Any = None, *, holder: Ref | None = None) -> Entry:
        """Enter a process under a key, until it ends or is unregistered.

        Args:
          key: any number of keys per process; each once.
          value: what else to know; see ``update``.
          holder: the process; by default the one that asks.

        Raises:
          AlreadyStarted: when the key is unique and held, or held by this very process.
          ProcessExited: when there is no such process.
        """
        ref = self._holder(holder)
        entry = self.add(key, value, ref)
        if ref not in self._watches:
            self._watches[ref] = EndWatch(ref, lambda: self._forget(ref))
        return entry

    def unregister(self, key: Hashable, *, holder: Ref | None = None) -> None:
        """Take the entry of a process, by default the one that asks, out; without an entry, do nothing."""
        self.remove(key, self._holder(holder))

    def update(
        self, key: Hashable, change: Callable[[Any], Any], *, holder: Ref | None = None
    ) -> tuple[Any, Any]:
        """Replace the value of an entry by ``change(value)``; return the new one and the old one.

        Raises:
          LookupError: when the process, by default the one that asks, has no entry under the key.
        """
        ref = self._holder(holder)
        if (entry := self._entry_of(ref, key)) is None:
            raise LookupError(f"{ref} is not registered under {key!r}; register it first")
        new = replace(entry, value=change(entry.value))
        self._groups[key].put(new)
        return new.value, entry.value

    # For names, which their processes give back themselves.

    def add(self, key: Hashable, value: Any, ref: ProcessRef) -> Entry:
        """Add an entry that its holder takes out itself.

        Raises:
          AlreadyStarted: when the key is unique and held, or held by this very process.
        """
        if self._is_unique and (present := self.whereis(key)) is not None:
            raise AlreadyStarted(f"the name {key!r} is held by {present}; names are unique within a registry")
        if self._entry_of(ref, key) is not None:
            raise AlreadyStarted(f"{ref} is registered under {key!r} already; change its value with update")
        entry = Entry(key, ref, value)
        self._groups.setdefault(key, _Group()).put(entry)
        self._held.setdefault(ref, {})[key] = None
        self._tell(Registered(self, entry))
        return entry

    def remove(self, key: Hashable, ref: ProcessRef) -> None:
        """Take an entry out, if there is one."""
        group = self._groups.get(key)
        gone = None if group is None else group.take(ref)
        if group is None or gone is None:
            return
        if not group.by_holder:
            del self._groups[key]
        del self._held[ref][key]
        if not self._held[ref]:
            del self._held[ref]
            if (watch := self._watches.pop(ref, None)) is not None:
                watch.cancel()
        self._tell(Unregistered(self, gone))

    def _entry_of(self, ref: ProcessRef, key: Hashable) -> Entry | None:
        group = self._groups.get(key)
        return None if group is None else group.by_holder.get(ref)

    def _forget(self, ref: ProcessRef) -> None:
        for key in list(self._held.get(ref, ())):
            self.remove(key, ref)

    def _tell(self, notice: Registered | Unregistered) -> None:
        # Who registers, or ends, has no part in what becomes of an address that is not its own.
        for listener in self._listeners:
            attempt("a registry's listener", tell, listener, notice)

    def _holder(self, given: Ref | None) -> ProcessRef:
        ref = current() if given is None else _incarnation(given)
        if ref is None and given is None:
            raise SpecError("Only a process can be registered. Outside of all processes write holder=ref.")
        if ref is None or not ref.is_alive:
            raise ProcessExited(NoProc(), str(given if ref is None else ref))
        return ref

    def _refuse_duplicate(self, method: str) -> None:
        if not self._is_unique:
            raise SpecError(
                f"{method} needs unique keys; in a registry of duplicate ones a key may mean many processes. "
                "Use lookup or dispatch, and register from within the process."
            )


def _check_is_hashable(key: object) -> None:
    try:
        hash(key)
    except TypeError as error:
        raise SpecError(
            f"A name must be hashable, for it is looked up, got {key!r}. "
            "Write a string, a number, a tuple of such, or a frozen dataclass."
        ) from error


def _incarnation(ref: Ref) -> ProcessRef | None:
    process = ref.resolve()
    return None if process is None else process.ref


@final
class Via(Ref):
    """A name as an address: it means whoever holds the name when it is used."""

    def __init__(self, registry: Registry, key: Hashable, value: Any = None) -> None:
        """Mean ``key`` in ``registry``; ``registry.via`` makes these."""
        _check_is_hashable(key)
        self.registry = registry
        self.key = key
        self.value = value

    def resolve(self) -> "Process | None":
        """Return the process that holds the name."""
        holder = self.registry.whereis(self.key)
        return None if holder is None else holder.resolve()

    def register(self, holder: ProcessRef) -> None:
        """Take the name for ``holder``, or raise AlreadyStarted."""
        self.registry.add(self.key, self.value, holder)

    def release(self, holder: ProcessRef) -> None:
        """Give the name back, if ``holder`` has it."""
        self.registry.remove(self.key, holder)

    def __eq__(self, other: object) -> bool:
        """Whether the other one is the same name in the same registry, whatever value it would enter."""
        return isinstance(other, Via) and self.registry is other.registry and self.key == other.key

    def __hash__(self) -> int:
        """Return the hash of the key."""
        return hash(self.key)

    def __str__(self) -> str:
        return f"name {self.key!r}"

    def __repr__(self) -> str:
        return f"<{self}>"
