"""Let what is no process, such as a registry, hear of the end of one at once, and say things to it."""

from collections.abc import Callable
from typing import Any, final

from supervision.contacts import Contacts
from supervision.messages import Monitor
from supervision.reference import ProcessRef, Ref


def tell(ref: Ref, notice: Any) -> None:
    """Put a notice where ``handle_info`` finds it; to nobody, it is dropped."""
    if (process := ref.resolve()) is not None:
        process.mailbox.put_signal(notice)


@final
class EndWatch:
    """Call ``act`` when a process ends, before anybody else can act on that; at once if it has ended."""

    def __init__(self, ref: ProcessRef, act: Callable[[], None]) -> None:
        """Start watching."""
        reaction: Any = _Reaction(act)
        self._contacts = Contacts(reaction)
        self._monitor: Monitor = self._contacts.watch(ref)

    def cancel(self) -> None:
        """Stop watching."""
        self._contacts.unwatch(self._monitor)


@final
class _Reaction:
    """What stands for a watching process and its mailbox: it reacts to the one Down instead of keeping it."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    @property
    def mailbox(self) -> "_Reaction":
        return self

    def put_signal(self, message: Any) -> None:
        self._act()
