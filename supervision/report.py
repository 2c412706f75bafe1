"""Say what happens to processes: as telemetry events, and their abnormal ends as log records too.

The events, by their names after ``("supervision",)``; measurements, then metadata:

process, start      time; process
process, end        time; process, reason
process, crash      time; process, reason, account: what it was doing
dead_letters        count; target, messages: sent to nobody, or never taken by a process that has ended
child, restart      restarts; supervisor, child, reason
supervisor, give_up failures; supervisor, child, reason
"""

import logging
from typing import Any

import trio

from supervision import telemetry
from supervision.attempts import log
from supervision.exits import Crash, ExitReason, cause_of
from supervision.messages import Call, Cast


def report_start(label: str) -> None:
    """Say that a process has started up."""
    if telemetry.is_heard():
        telemetry.execute(
            ("supervision", "process", "start"), {"time": trio.current_time()}, {"process": label}
        )


def report_end(label: str, reason: ExitReason, account: str, left: list[Any], *, is_ordered: bool) -> None:
    """Say that a process has ended; of an abnormal end write a record, as an error unless it was ordered.

    Args:
      label: the process, by its place in the tree.
      reason: why it ended.
      account: what it was doing when it crashed; empty if nothing is known.
      left: what was in its mailbox.
      is_ordered: somebody killed it on purpose.
    """
    if reason.is_abnormal:
        level = logging.INFO if is_ordered else logging.ERROR
        log(level, "process %r ended: %s%s", label, reason, account, error=cause_of(reason))
    if left:
        report_dead_letters(f"process {label!r}", [m.message for m in left if isinstance(m, Call | Cast)])
    if telemetry.is_heard():
        time, metadata = {"time": trio.current_time()}, {"process": label, "reason": reason}
        telemetry.execute(("supervision", "process", "end"), time, metadata)
        if isinstance(reason, Crash):
            telemetry.execute(("supervision", "process", "crash"), time, {**metadata, "account": account})


def report_dead_letters(target: str, messages: list[Any]) -> None:
    """Say that messages will never be read."""
    if messages and telemetry.is_heard():
        count, metadata = {"count": len(messages)}, {"target": target, "messages": messages}
        telemetry.execute(("supervision", "dead_letters"), count, metadata)


def report_restart(supervisor: str, child: str, restarts: int, reason: ExitReason) -> None:
    """Say that a supervisor is about to restart a child, with whoever goes with it."""
    if telemetry.is_heard():
        metadata = {"supervisor": supervisor, "child": child, "reason": reason}
        telemetry.execute(("supervision", "child", "restart"), {"restarts": restarts}, metadata)


def report_give_up(supervisor: str, child: str, failures: int, reason: ExitReason) -> None:
    """Say that a supervisor heals no more."""
    if telemetry.is_heard():
        metadata = {"supervisor": supervisor, "child": child, "reason": reason}
        telemetry.execute(("supervision", "supervisor", "give_up"), {"failures": failures}, metadata)
