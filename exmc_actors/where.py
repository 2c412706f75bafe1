"""Choose where blocks are computed, in threads or in worker processes; refuse what cannot travel to these."""

import math
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any, Literal

from exmc_actors.arguments import is_number
from exmc_actors.compiler import Program, Target
from exmc_actors.errors import ModelError, SettingsError
from exmc_actors.runtime import (
    RemoteExecutables,
    Settings,
    Workers,
    default_platform,
    executables_for,
    open_workers,
)
from exmc_actors.runtime.journal import Head, encode_head

Kind = Literal["thread", "process"]
_INSTEAD = "write workers='thread', which takes whatever can be sampled"


@dataclass(frozen=True)
class Where:
    """Where the blocks of a run are computed, as a user wrote it."""

    workers: Kind = "thread"
    patience: float | None = None

    def __post_init__(self) -> None:
        """Check both.

        Raises:
          SettingsError: a value is of the wrong kind, or patience has nothing that it could end.
        """
        if self.workers not in ("thread", "process"):
            raise SettingsError(
                f"workers must be 'thread' or 'process', got {self.workers!r}: write workers='process' for "
                "blocks that are computed in processes of their own."
            )
        seconds: Any = self.patience
        if seconds is None:
            return
        if not is_number(seconds) or not float(seconds) > 0.0:
            raise SettingsError(
                f"patience must be a positive number of seconds or None, got {seconds!r}: write, say, "
                "patience=600."
            )
        if self.workers == "thread":
            raise SettingsError(
                f"patience={seconds!r} would end a worker that takes longer, and a thread cannot be ended: "
                "write workers='process' with it, or leave it out."
            )

    @property
    def seconds(self) -> float:
        """How long a block may take in a worker."""
        return math.inf if self.patience is None else float(self.patience)

    def check_device(self) -> None:
        """Refuse a device that blocks cannot be computed on there.

        Call it in the host's thread: JAX's default device may be set for that thread alone.

        Raises:
          SettingsError: other processes would compute on another device.
        """
        if self.workers == "process" and (platform := default_platform()) != "cpu":
            raise SettingsError(
                f"workers='process' computes on processors, and JAX's device here is a {platform!r}: set "
                f"JAX_PLATFORMS=cpu, or {_INSTEAD}."
            )

    def check(self, target: Target, settings: Settings) -> None:
        """Refuse what cannot be computed there.

        Raises:
          SettingsError: what is to be computed cannot travel to another process.
        """
        if self.workers == "process":
            _check(settings)
            _model_bytes(target)

    @asynccontextmanager
    async def opened(self, target: Target, settings: Settings) -> AsyncIterator[Workers | None]:
        """Hold the worker processes of a run; None where threads compute.

        Raises:
          SettingsError: what is to be computed cannot travel to another process.
        """
        if self.workers == "thread":
            yield None
            return
        _check(settings)
        # Initial values do not travel: where chains start is said when they do.
        head = Head(
            replace(settings, initvals=()),
            _model_bytes(target),
            target.dim,
            {"exmc_actors": version("exmc-actors")},
        )
        executables = remote_executables(target, settings)
        async with open_workers(encode_head(head), executables.largest_answer) as workers:
            yield workers


def remote_executables(target: Target, settings: Settings) -> RemoteExecutables:
    """Return what is known here of the executables that workers have."""
    made = executables_for(target, settings.max_treedepth, settings.kernel, RemoteExecutables)
    assert isinstance(made, RemoteExecutables)
    return made


def _check(settings: Settings) -> None:
    if settings.ensemble_width:
        raise SettingsError(
            "workers='process' computes a block of one chain in one process, and this run's chains advance "
            f"together: leave out ensemble, or {_INSTEAD}."
        )
    if not sys.executable:
        raise SettingsError(
            f"workers='process' starts Python again, and this program does not know where it is: {_INSTEAD}."
        )


def _model_bytes(target: Target) -> bytes:
    if not isinstance(target, Program):
        raise SettingsError(
            f"workers='process' takes a Model or a Program, which travel as data, got {target!r}, which is a "
            f"function: {_INSTEAD}."
        )
    try:
        return target.model.to_bytes()
    except ModelError as error:
        raise SettingsError(f"workers='process' sends the model as data: {error} Or {_INSTEAD}.") from error
