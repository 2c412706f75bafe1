"""Hang a run under a supervisor of the user's own: a process that holds it open, and opens it again."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import trio

import supervision as sv
from exmc_actors.asked import IN_A_STORE
from exmc_actors.errors import SettingsError
from exmc_actors.opening import open_run
from exmc_actors.options import checked, settled
from exmc_actors.run import Run
from exmc_actors.runtime.journal import holds_a_run
from exmc_actors.stored import model_to_store
from supervision.child import Name, RestartType, ShutdownTime


def run_spec(
    model: Any = None,
    *,
    id: str = "run",
    restart: RestartType = "permanent",
    shutdown: ShutdownTime = "infinity",
    name: Name | None = None,
    **options: Any,
) -> sv.ChildSpec:
    """Describe a run as a child of a supervisor; ``run_of`` gives the ``Run`` that the child holds.

    The child has started when the run is open, and keeps it open until it is stopped.  When it crashes or is
    killed, its supervisor opens the run again: with the same seed, so that the same draws come again; a run
    with a ``store`` goes on there instead.

    Args:
      model: as of ``open_run``.
      id: of the child, unique within its supervisor.
      restart: when the supervisor opens the run again.
      shutdown: how long the run may take to stop; by default until the blocks under way have ended.
      name: a name in a registry, ``registry.via(key)``, by which other children find it.
      options: the other arguments of ``open_run``.  A ``random_seed`` that is not given is drawn here, once.

    Raises:
      SettingsError: an option is unknown, of the wrong kind or out of range.
    """
    opening = Opening(model, options)
    return sv.ChildSpec(id, RunProcess, (opening,), restart=restart, shutdown=shutdown, name=name)


async def run_of(child: sv.Ref) -> Run:
    """Return the run that a child made from ``run_spec`` holds at the moment.

    A child that was restarted holds another ``Run`` than before; the one from before has ended.

    Args:
      child: the child's address, ``supervisor.child("run")`` or ``registry.via(key)``.

    Raises:
      supervision.ProcessExited: there is no such child at the moment.
    """
    return await child.call(GetRun())


@dataclass(frozen=True, slots=True)
class GetRun(sv.Request[Run]):
    """Somebody asks for the run."""


class RunProcess(sv.Server):
    """Hold a run open for as long as the process lives."""

    async def init(self, opening: "Opening") -> None:
        """Open the run; where that fails, so does the start."""
        self._opened = trio.Event()
        self._run: Run
        self.start_soon(self._hold, opening)
        await self._opened.wait()

    async def handle_call(self, message: object) -> Any:
        """Return the run; a message that means nothing is no reason to lose it."""
        if isinstance(message, GetRun):
            return self._run
        error = SettingsError(f"a run was called with {message!r}: write run = await ex.run_of(child).")
        self.defer().fail(error)
        return sv.NO_REPLY

    async def _hold(self, opening: "Opening") -> None:
        async with opening.open() as self._run:
            self._opened.set()
            await trio.sleep_forever()


class Opening:
    """How a run is opened, and opened again: it outlives the processes that do so."""

    def __init__(self, model: Any, options: Mapping[str, Any]) -> None:
        """Open nothing yet.

        Raises:
          SettingsError: an option is unknown, of the wrong kind or out of range.
        """
        options = settled(options)
        settings = checked(options)
        seed = {} if settings is None else {"random_seed": settings.random_seed}
        self._model, self._options = model, {**options, **seed}
        self._is_ours = False

    def open(self) -> AbstractAsyncContextManager[Run]:
        """Return the run, to be entered: it begins, or goes on with what was begun here before."""
        store = self._options.get("store")
        if store is None:
            return open_run(self._model, **self._options)
        is_there = holds_a_run(store.path)
        # A run that was there before anything was opened here is refused, each time.
        self._is_ours = self._is_ours or not is_there
        if not (self._is_ours and is_there):
            return open_run(self._model, **self._options)
        rest = {name: value for name, value in self._options.items() if name not in {*IN_A_STORE, "store"}}
        return open_run(self._again(), resume=store, **rest)

    def _again(self) -> Any:
        """Return the model where the store has none."""
        return self._model if model_to_store(self._model) is None else None
