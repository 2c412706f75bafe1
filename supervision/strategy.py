"""Decide what a supervisor does when a child ends: restart it or not, and who else is stopped and started.

Pure functions of words and ids; carrying them out is the supervisor's business.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

from supervision.child import RestartType
from supervision.exits import ExitReason

Strategy = Literal["one_for_one", "one_for_all", "rest_for_one"]
"""Who is restarted with a failed child: nobody else; all; those that were started after it."""

AutoShutdown = Literal["never", "any_significant", "all_significant"]
"""Whether the own end of significant children ends the supervisor."""


@dataclass(frozen=True, slots=True)
class Round:
    """One answer to one failure."""

    stop: tuple[str, ...]
    """Other children to stop, in this order: the youngest first."""
    start: tuple[str, ...]
    """Children to start then, in this order: the oldest first, the failed one among them."""


def is_restarted(restart: RestartType, reason: ExitReason) -> bool:
    """Return whether a child that ended by itself for ``reason`` is started again."""
    match restart:
        case "permanent":
            return True
        case "transient":
            return reason.is_abnormal
        case "temporary":
            return False
        case _ as never:
            assert_never(never)


def restart_round(strategy: Strategy, children: Mapping[str, RestartType], failed: str) -> Round:
    """Return what to stop and what to start after ``failed`` ended.

    Children that were not running are started too, however they came to stop; temporary ones never are.

    Args:
      strategy: who is restarted with the failed child.
      children: every child's restart type by id, in the order of start.
      failed: the child that ended; it is not temporary.
    """
    affected = _affected(strategy, list(children), failed)
    return Round(
        stop=tuple(child for child in reversed(affected) if child != failed),
        start=tuple(child for child in affected if children[child] != "temporary"),
    )


def _affected(strategy: Strategy, ids: Sequence[str], failed: str) -> Sequence[str]:
    match strategy:
        case "one_for_one":
            return [failed]
        case "one_for_all":
            return ids
        case "rest_for_one":
            return ids[ids.index(failed) :]
        case _ as never:
            assert_never(never)


def is_auto_shutdown_due(auto_shutdown: AutoShutdown, significant_still_active: Iterable[str]) -> bool:
    """Return whether the supervisor ends now that a significant child has ended by itself, for good."""
    match auto_shutdown:
        case "never":
            return False
        case "any_significant":
            return True
        case "all_significant":
            return not any(True for _ in significant_still_active)
        case _ as never:
            assert_never(never)
