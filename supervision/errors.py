"""Name the ways in which supervision refuses or fails; every message says what to do instead.

SupervisionError
|- SpecError           a child or supervisor as described cannot work (also a ValueError)
|- ProcessExited       the process ended before it answered, or was never there
|- CallingSelf         a server called itself and would wait for ever
|- MailboxFull         there is no room for the message
|- AlreadyStarted      the name or the child id is taken by a running process
|- AlreadyPresent      the child id is taken by a child that is not running
|- StillRunning        only a stopped child can be deleted
|- TooManyChildren     a dynamic supervisor has as many children as it may have
|- NoSuchChild         the supervisor has no child of that id (also a LookupError)
|- StartFailed         a child did not come up
|- Lagged              a subscriber fell behind and had asked to be told so
`- GaveUp              a supervisor reached its limit of restarts
"""

from supervision.exits import ExitReason, cause_of


class SupervisionError(Exception):
    """Whatever this library raises on purpose."""


class SpecError(SupervisionError, ValueError):
    """A child or a supervisor, as described, cannot work."""


class ProcessExited(SupervisionError):
    """The process ended before it answered, or there was none.

    The crash behind it, if any, is the ``__cause__``.
    """

    def __init__(self, reason: ExitReason, target: str) -> None:
        """Keep the reason and what the caller asked for.

        Args:
          reason: why the process ended; ``NoProc()`` when there was none.
          target: the process as the caller addressed it.
        """
        super().__init__(reason, target)
        self.reason = reason
        self.target = target
        self.__cause__ = cause_of(reason)

    def __str__(self) -> str:
        return f"{self.target} gave no answer: {self.reason}"


class CallingSelf(SupervisionError):
    """A server called itself from one of its own handlers and would wait for ever."""


class MailboxFull(SupervisionError):
    """There is no room for the message, and it has not been taken."""


class AlreadyStarted(SupervisionError):
    """The name or the child id is taken by a running process."""


class AlreadyPresent(SupervisionError):
    """The child id is taken by a child that is not running."""


class StillRunning(SupervisionError):
    """Only a stopped child can be deleted."""


class TooManyChildren(SupervisionError):
    """A dynamic supervisor has as many children as it may have."""


class NoSuchChild(SupervisionError, LookupError):
    """The supervisor has no child of that id."""


class StartFailed(SupervisionError):
    """A child did not come up; what it raised, if anything, is the ``__cause__``."""

    def __init__(self, child: str, reason: ExitReason) -> None:
        """Keep the child's id and the reason of its end.

        Args:
          child: its id in its supervisor.
          reason: why it ended before it had started.
        """
        super().__init__(child, reason)
        self.child = child
        self.reason = reason
        self.__cause__ = cause_of(reason)

    def __str__(self) -> str:
        return f"child {self.child!r} did not start: {self.reason}"


class Lagged(SupervisionError):
    """A subscriber fell behind its topic under ``RAISE``; it is out of it now."""


class GaveUp(SupervisionError):
    """A supervisor reached its limit of restarts; the last crash, if any, is the ``__cause__``."""

    def __init__(self, child: str, failures: int, max_seconds: float, reason: ExitReason) -> None:
        """Keep what is needed to say why.

        Args:
          child: id of the child whose failure was one too many.
          failures: failures within the period, this one included.
          max_seconds: length of the period.
          reason: how the child ended this time.
        """
        super().__init__(child, failures, max_seconds, reason)
        self.child = child
        self.failures = failures
        self.max_seconds = max_seconds
        self.reason = reason
        self.__cause__ = cause_of(reason)

    def __str__(self) -> str:
        return (
            f"the supervisor gave up on child {self.child!r}: failure {self.failures} within "
            f"{self.max_seconds:g} s, where {self.failures - 1} may be healed; last reason: {self.reason}"
        )
