"""Know who must be told when a process ends, and tell them in the promised order.

1. The name is given back. 2. Watchers find a Down in their mailboxes. 3. Waiting callers wake.
"""

from supervision.errors import ProcessExited
from supervision.exits import ExitReason, NoProc
from supervision.mailbox import Mailbox
from supervision.messages import Down, Monitor, Reply
from supervision.reference import ProcessRef, Ref


class Contacts:
    """The watchers and callers of one process, and whom it watches itself."""

    def __init__(self, mailbox: Mailbox) -> None:
        """Start without any.

        Args:
          mailbox: where the Downs of watched processes go.
        """
        self.callers: dict[Reply, None] = {}
        self._mailbox = mailbox
        self._watchers: dict[Monitor, Contacts] = {}
        self._watching: dict[Monitor, Contacts] = {}

    def watch(self, ref: Ref) -> Monitor:
        """Watch a process; one Down will come, at once if there is no such process."""
        monitor, target = Monitor(ref), ref.resolve()
        if target is None or target.is_ended:
            self._mailbox.put(Down(monitor, ref, NoProc()))
        else:
            target.contacts._watchers[monitor] = self
            self._watching[monitor] = target.contacts
        return monitor

    def unwatch(self, monitor: Monitor) -> None:
        """Stop watching; a Down that is already in the mailbox will not be delivered."""
        monitor.is_cancelled = True
        if (target := self._watching.pop(monitor, None)) is not None:
            del target._watchers[monitor]

    def tell_end(self, ref: ProcessRef, reason: ExitReason) -> None:
        """Tell watchers, then callers; and watch nobody any more."""
        for monitor, watcher in self._watchers.items():
            del watcher._watching[monitor]
            watcher._mailbox.put(Down(monitor, monitor.ref, reason))
        self._watchers.clear()
        for monitor in list(self._watching):
            self.unwatch(monitor)
        for reply in self.callers:
            reply.fail(ProcessExited(reason, str(ref)))
