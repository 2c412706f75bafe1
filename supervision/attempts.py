"""Do what must be done whatever else fails, and write the log: what is raised there ends nothing."""

import logging
from collections.abc import Callable
from traceback import print_exception
from typing import Any, Final

_LOGGER: Final = logging.getLogger("supervision")


def attempt(what: str, step: Callable[..., object], *args: Any) -> None:
    """Call ``step(*args)``; what it raises is logged, so that the next step can follow.

    Args:
      what: who does the step, for people.
      step: an ordinary function.
      args: its arguments.
    """
    try:
        step(*args)
    except Exception as error:  # noqa: BLE001 - told, and goes no further
        if step is _write:
            print_exception(error)  # as logging does with most of what its handlers raise
        else:
            log(logging.ERROR, "%s raised", what, error=error)


def log(level: int, text: str, *args: Any, error: BaseException | None = None) -> None:
    """Write a record of the logger ``supervision``; a filter or handler that raises disturbs nobody."""
    attempt("the log", _write, level, text, args, error)


def _write(level: int, text: str, args: tuple[Any, ...], error: BaseException | None) -> None:
    _LOGGER.log(level, text, *args, exc_info=error)
