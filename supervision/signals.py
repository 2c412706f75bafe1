"""Decide what an exit signal does to the process that it reaches; OTP's rules, as one pure function."""

from enum import Enum

from supervision.exits import KILL, ExitOrder, Normal


class Effect(Enum):
    """What follows from an exit signal."""

    NOTHING = "nothing"
    MESSAGE = "message"
    """An ``Exit`` in the mailbox: the process traps exits."""
    END = "end"
    """The process ends for the reason that it was given."""
    KILL = "kill"
    """The process ends at once, as ``Killed``; that is the reason which others are given then."""


def effect_of(order: ExitOrder, *, is_trapping: bool, is_own: bool = False) -> Effect:
    """Return what an exit signal does, whether it was sent or came through a link.

    A kill cannot come through a link: what does is ``Killed()``, the reason of a process that was killed,
    and that is a reason like others.

    Args:
      order: what the sender said, or the reason for which a linked process ended.
      is_trapping: the receiver wants exit signals as messages.
      is_own: the receiver sent it to itself.
    """
    if order == KILL:
        return Effect.KILL
    if is_trapping:
        return Effect.MESSAGE
    if isinstance(order, Normal) and not is_own:
        return Effect.NOTHING
    return Effect.END
