"""Put faults around the parts of a run, and count which of them have happened."""

import math
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import trio

from exmc_actors.faults.actors import chain_with, recorder_with, server_with
from exmc_actors.faults.blocks import FaultyExecutables
from exmc_actors.faults.disk import FaultyDisk
from exmc_actors.faults.kinds import Fault, OfChain, Slow
from exmc_actors.runtime import Parts, Runner
from exmc_actors.runtime.chain_actor import chain
from exmc_actors.runtime.model_server import ModelServer
from exmc_actors.runtime.recorder import Recorder

F = TypeVar("F", bound=Fault)
T = TypeVar("T")


class Faults:
    """Some faults, to be given to a run: ``open_run(model, parts=faults)``.

    Those of the disk belong to the store: ``open_run(model, store=Store(folder, disk=faults.disk))``.
    Each happens as often as it says, whatever is restarted meanwhile, in all runs that these are given to.
    """

    def __init__(self, *faults: Fault) -> None:
        """Let none of them have happened."""
        self._faults = faults
        self._left = [fault.times for fault in faults]
        self._counts: dict[type[Fault], int] = {}
        self._lock = threading.Lock()  # blocks are computed in threads
        self.happened: list[Fault] = []
        """What has happened, in order: a fault as often as it did."""
        self.disk = FaultyDisk(self)
        """The disk of this machine, as far as the faults let it."""

    def __call__(self, parts: Parts) -> Parts:
        """Return the parts of a run with the faults around them."""
        executables: Any = FaultyExecutables(parts.executables, parts.settings, self)
        return replace(
            parts,
            executables=executables,
            runner=self._slowed(parts.runner),
            program=lambda program: self._around(parts.program(program)),
        )

    def due(
        self, kind: type[F], *, at: int | None = None, chain: int | None = None, **fields: Any
    ) -> F | None:
        """Return the fault of a kind that happens now, if there is one; it then has.

        Args:
          kind: which kind this is an occasion for.
          at: how many occasions there were before; None counts the calls.
          chain: whose block this is.
          fields: what else the fault must say of itself.
        """
        with self._lock:
            if at is None:
                at = self._counts.get(kind, 0)
                self._counts[kind] = at + 1
            for place, fault in enumerate(self._faults):
                if self._left[place] and isinstance(fault, kind) and _fits(fault, at, chain, fields):
                    self._left[place] -= 1
                    self.happened.append(fault)
                    return fault
        return None

    def _around(self, program: Any) -> Any:
        """Return what is started in the place of an actor's program."""
        if program is chain:
            return chain_with(self)
        if isinstance(program, type) and issubclass(program, Recorder):
            return recorder_with(self, program)
        if isinstance(program, type) and issubclass(program, ModelServer):
            return server_with(self, program)
        return program

    def _slowed(self, runner: Runner) -> Runner:
        async def slowed(
            function: Callable[[], T], /, *, seconds: float = math.inf, outlives: bool = False
        ) -> T:
            fault = self.due(Slow)
            if fault is not None:
                await trio.sleep(fault.seconds)
            return await runner(function, seconds=seconds, outlives=outlives)

        return slowed


def _fits(fault: Fault, at: int, chain: int | None, fields: dict[str, Any]) -> bool:
    is_of_chain = not isinstance(fault, OfChain) or fault.chain in (None, chain)
    return is_of_chain and at >= fault.at and all(getattr(fault, name) == of for name, of in fields.items())
