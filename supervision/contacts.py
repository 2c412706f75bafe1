"""Know who must be told when a process ends, and tell them in the promised order.

1. The name is given back. 2. Watchers find a Down in their mailboxes. 3. Linked processes get an exit
signal. 4. Waiting callers wake.
"""

from typing import TYPE_CHECKING

from trio.lowlevel import enable_ki_protection

from supervision.attempts import attempt
from supervision.errors import ProcessExited
from supervision.exits import ExitReason, NoProc
from supervision.messages import Down, Monitor, Reply
from supervision.reference import Ref

if TYPE_CHECKING:
    from supervision.process import Process


class Contacts:
    """The watchers, links and callers of one process, and whom it watches itself."""

    __slots__ = ("_process", "_watchers", "_watching", "callers", "links")

    def __init__(self, process: "Process") -> None:
        """Start without any.

        Args:
          process: the one whose contacts these are.
        """
        self._process = process
        self.callers: dict[Reply, None] = {}
        self.links: dict[Contacts, None] = {}
        self._watchers: dict[Monitor, Contacts] = {}
        self._watching: dict[Monitor, Contacts] = {}

    @enable_ki_protection
    def watch(self, ref: Ref) -> Monitor:
        """Watch a process; one Down will come, at once if there is no such process."""
        monitor, target = Monitor(ref), ref.resolve()
        if target is None or target.is_ended:
            self._process.mailbox.put_signal(Down(monitor, ref, NoProc()))
        else:
            target.contacts._watchers[monitor] = self
            self._watching[monitor] = target.contacts
        return monitor

    @enable_ki_protection
    def unwatch(self, monitor: Monitor) -> None:
        """Stop watching; a Down that is already in the mailbox will not be delivered."""
        monitor.is_cancelled = True
        if (target := self._watching.pop(monitor, None)) is not None:
            del target._watchers[monitor]

    @enable_ki_protection
    def link(self, ref: Ref) -> None:
        """Let this process and another one share their ends; twice is once, and to oneself is nothing."""
        target = ref.resolve()
        if target is None or target.is_ended:
            self._process.signal(NoProc(), ref)
        elif target is not self._process:
            self.links[target.contacts] = None
            target.contacts.links[self] = None

    @enable_ki_protection
    def unlink(self, ref: Ref) -> None:
        """Undo a link, whoever made it; an Exit that is already in the mailbox stays there."""
        if (target := ref.resolve()) is not None and target.contacts in self.links:
            del self.links[target.contacts]
            del target.contacts.links[self]

    def tell_end(self, reason: ExitReason) -> None:
        """Tell watchers, then linked processes, then callers; and watch nobody any more.

        What one of them raises keeps it from no other one.
        """
        who = f"somebody who was told of the end of {self._process.label!r}"
        for monitor, watcher in self._watchers.items():
            del watcher._watching[monitor]
            attempt(who, watcher._process.mailbox.put_signal, Down(monitor, monitor.ref, reason))
        self._watchers.clear()
        for monitor in list(self._watching):
            self.unwatch(monitor)
        links, self.links = self.links, {}
        for linked in links:
            del linked.links[self]
            attempt(who, linked._process.signal, reason, self._process.ref)
        for reply in self.callers:
            reply.fail(ProcessExited(reason, str(self._process.ref)))
