"""Say how a process ended, in a closed vocabulary; nothing here decides what follows from it."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, final, get_args


@final
@dataclass(frozen=True, slots=True)
class Normal:
    """The process did what it was for."""

    is_abnormal: ClassVar[bool] = False

    def __str__(self) -> str:
        return "normal end"


@final
@dataclass(frozen=True, slots=True)
class Shutdown:
    """The process was asked to end, or its supervisor gave up; ``detail`` says more where there is more."""

    detail: object = None
    is_abnormal: ClassVar[bool] = False

    def __str__(self) -> str:
        return "shutdown" if self.detail is None else f"shutdown: {self.detail}"


@final
@dataclass(frozen=True, slots=True)
class Killed:
    """The process was ended without being asked, and did not clean up."""

    is_abnormal: ClassVar[bool] = True

    def __str__(self) -> str:
        return "killed"


@final
@dataclass(frozen=True, slots=True)
class Crash:
    """The process raised ``error``."""

    error: Exception
    is_abnormal: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not isinstance(self.error, Exception):
            raise TypeError(
                f"Crash takes the exception itself, got {self.error!r}. Write "
                "Crash(RuntimeError('what went wrong')), or Shutdown(detail) for an end that is no error."
            )

    def __str__(self) -> str:
        return f"crash: {self.error!r}"


@final
@dataclass(frozen=True, slots=True)
class NoProc:
    """There was no such process to begin with."""

    is_abnormal: ClassVar[bool] = True

    def __str__(self) -> str:
        return "no such process"


ExitReason = Normal | Shutdown | Killed | Crash | NoProc
"""Why a process ended. Abnormal reasons make a supervisor restart a transient child."""

KILL: Final = "kill"
"""The order that cannot be refused: ``ref.exit(KILL)`` ends a process as ``Killed``, without clean-up."""

ExitOrder = ExitReason | Literal["kill"]
"""What may be given to ``ref.exit``."""


def check_reason(given: object, method: str) -> None:
    """Raise TypeError unless ``given`` is a reason for which a process can end by itself or by request."""
    if not isinstance(given, get_args(ExitReason)):
        raise TypeError(
            f"{method} takes an exit reason such as Normal() or Shutdown('why'), got {given!r}. "
            "To end a process at once, write ref.exit(KILL)."
        )


def cause_of(reason: ExitReason) -> Exception | None:
    """Return the exception behind a reason, for ``raise ... from``; None where there is none."""
    match reason:
        case Crash(error):
            return error
        case Shutdown(Exception() as error):
            return error
        case _:
            return None
