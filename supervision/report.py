"""Log the abnormal ends of processes, through the logger ``supervision``; nothing else is logged."""

import logging
from typing import Final

from supervision.exits import ExitReason, cause_of

_LOGGER: Final = logging.getLogger("supervision")


def report_end(label: str, reason: ExitReason, last_message: str | None, *, is_ordered: bool) -> None:
    """Write one record: an error, or for a kill that was ordered, an information.

    Args:
      label: the process, by its place in the tree.
      reason: why it ended.
      last_message: the type of the message that it took last.
      is_ordered: somebody killed it on purpose.
    """
    last = "" if last_message is None else f"; its last message was a {last_message}"
    level = logging.INFO if is_ordered else logging.ERROR
    _LOGGER.log(level, "process %r ended: %s%s", label, reason, last, exc_info=cause_of(reason))
